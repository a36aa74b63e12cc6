-- What CREATE EXTENSION maskgen runs: the fragments sql/NN-*.sql, one after another.
\echo Use "CREATE EXTENSION maskgen" to load this file. \quit

-- Who may use which model is a matter of grant_model(), not of the schema.
GRANT USAGE ON SCHEMA maskgen TO PUBLIC;
-- The type vector, with the names, forms and results that pgvector's users know.

CREATE TYPE vector;

CREATE FUNCTION vector_in(cstring, oid, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_out(vector) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_vector_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_vector_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_recv(internal, oid, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_send(vector) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_vector_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE vector (
	INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in,
	RECEIVE = vector_recv, SEND = vector_send, STORAGE = external
);
COMMENT ON TYPE vector IS 'array of real numbers of a fixed length, such as an embedding';

-- Distances. A few hundred dimensions cost about ten times what a plain operator does.
CREATE FUNCTION l2_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_distance(vector, vector) IS 'Euclidean distance';
CREATE FUNCTION inner_product(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(vector, vector) IS 'inner product';
CREATE FUNCTION cosine_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_distance(vector, vector) IS 'cosine distance, 1 - cosine similarity';
CREATE FUNCTION l1_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l1_distance(vector, vector) IS 'taxicab distance';
CREATE FUNCTION vector_negative_inner_product(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION vector_negative_inner_product(vector, vector) IS 'inner product with its sign changed, so that nearer is smaller';
CREATE FUNCTION vector_l2_squared_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION vector_l2_squared_distance(vector, vector) IS 'square of the Euclidean distance';
CREATE FUNCTION vector_spherical_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION vector_spherical_distance(vector, vector) IS 'angle between two vectors of length 1, as a part of half a turn';

CREATE FUNCTION vector_dims(vector) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_vector_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(vector) IS 'number of dimensions';
CREATE FUNCTION vector_norm(vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION vector_norm(vector) IS 'Euclidean length';
CREATE FUNCTION l2_norm(vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(vector) IS 'Euclidean length';
CREATE FUNCTION l2_normalize(vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(vector) IS 'the vector scaled to length 1';
CREATE FUNCTION binary_quantize(vector) RETURNS bit
AS 'MODULE_PATHNAME', 'maskgen_vector_binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION binary_quantize(vector) IS 'a bit for each element: whether it is above zero';
CREATE FUNCTION subvector(vector, int, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(vector, int, int) IS 'elements from the first number on, as many as the second says';

CREATE FUNCTION vector_add(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION vector_sub(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION vector_mul(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION vector_concat(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_lt(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_le(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_eq(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_ne(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_ge(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_gt(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_cmp(vector, vector) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_vector_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance, COMMUTATOR = <->);
COMMENT ON OPERATOR <-> (vector, vector) IS 'Euclidean distance';
CREATE OPERATOR <#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_negative_inner_product, COMMUTATOR = <#>);
COMMENT ON OPERATOR <#> (vector, vector) IS 'negative inner product';
CREATE OPERATOR <=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance, COMMUTATOR = <=>);
COMMENT ON OPERATOR <=> (vector, vector) IS 'cosine distance';
CREATE OPERATOR <+> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l1_distance, COMMUTATOR = <+>);
COMMENT ON OPERATOR <+> (vector, vector) IS 'taxicab distance';
CREATE OPERATOR + (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_add, COMMUTATOR = +);
CREATE OPERATOR - (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_sub);
CREATE OPERATOR * (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_mul, COMMUTATOR = *);
CREATE OPERATOR || (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_concat);
CREATE OPERATOR < (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_lt, COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_le, COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR = (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR >= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ge, COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR > (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_gt, COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel);

CREATE OPERATOR CLASS vector_ops DEFAULT FOR TYPE vector USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 vector_cmp(vector, vector);

-- Aggregates

CREATE FUNCTION vector_accum(double precision[], vector) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_vector_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_combine(double precision[], double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_dense_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_avg(double precision[]) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_sum(double precision[]) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_sum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE avg(vector) (
	SFUNC = vector_accum, STYPE = double precision[], FINALFUNC = vector_avg, COMBINEFUNC = vector_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
CREATE AGGREGATE sum(vector) (
	SFUNC = vector_accum, STYPE = double precision[], FINALFUNC = vector_sum, COMBINEFUNC = vector_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
-- The type halfvec: vector in half the room, with numbers of float16.

CREATE TYPE halfvec;

CREATE FUNCTION halfvec_in(cstring, oid, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_out(halfvec) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_halfvec_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_typmod_in(cstring[]) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_halfvec_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_recv(internal, oid, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_send(halfvec) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_halfvec_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE halfvec (
	INPUT = halfvec_in, OUTPUT = halfvec_out, TYPMOD_IN = halfvec_typmod_in,
	RECEIVE = halfvec_recv, SEND = halfvec_send, STORAGE = external
);
COMMENT ON TYPE halfvec IS 'array of numbers of two bytes of a fixed length, such as an embedding';

-- Distances. A few hundred dimensions cost about ten times what a plain operator does.
CREATE FUNCTION l2_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_distance(halfvec, halfvec) IS 'Euclidean distance';
CREATE FUNCTION inner_product(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(halfvec, halfvec) IS 'inner product';
CREATE FUNCTION cosine_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_distance(halfvec, halfvec) IS 'cosine distance, 1 - cosine similarity';
CREATE FUNCTION l1_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l1_distance(halfvec, halfvec) IS 'taxicab distance';
CREATE FUNCTION halfvec_negative_inner_product(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION halfvec_negative_inner_product(halfvec, halfvec) IS 'inner product with its sign changed, so that nearer is smaller';
CREATE FUNCTION halfvec_l2_squared_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION halfvec_l2_squared_distance(halfvec, halfvec) IS 'square of the Euclidean distance';
CREATE FUNCTION halfvec_spherical_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION halfvec_spherical_distance(halfvec, halfvec) IS 'angle between two vectors of length 1, as a part of half a turn';

CREATE FUNCTION vector_dims(halfvec) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_halfvec_dims' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(halfvec) IS 'number of dimensions';
CREATE FUNCTION l2_norm(halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(halfvec) IS 'Euclidean length';
CREATE FUNCTION l2_normalize(halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(halfvec) IS 'the vector scaled to length 1';
CREATE FUNCTION binary_quantize(halfvec) RETURNS bit
AS 'MODULE_PATHNAME', 'maskgen_halfvec_binary_quantize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION binary_quantize(halfvec) IS 'a bit for each element: whether it is above zero';
CREATE FUNCTION subvector(halfvec, int, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(halfvec, int, int) IS 'elements from the first number on, as many as the second says';

CREATE FUNCTION halfvec_add(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION halfvec_sub(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION halfvec_mul(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION halfvec_concat(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_lt(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_le(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_eq(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_ne(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_ge(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_gt(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_cmp(halfvec, halfvec) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_halfvec_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l2_distance, COMMUTATOR = <->);
COMMENT ON OPERATOR <-> (halfvec, halfvec) IS 'Euclidean distance';
CREATE OPERATOR <#> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_negative_inner_product, COMMUTATOR = <#>);
COMMENT ON OPERATOR <#> (halfvec, halfvec) IS 'negative inner product';
CREATE OPERATOR <=> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = cosine_distance, COMMUTATOR = <=>);
COMMENT ON OPERATOR <=> (halfvec, halfvec) IS 'cosine distance';
CREATE OPERATOR <+> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l1_distance, COMMUTATOR = <+>);
COMMENT ON OPERATOR <+> (halfvec, halfvec) IS 'taxicab distance';
CREATE OPERATOR + (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_add, COMMUTATOR = +);
CREATE OPERATOR - (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_sub);
CREATE OPERATOR * (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_mul, COMMUTATOR = *);
CREATE OPERATOR || (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_concat);
CREATE OPERATOR < (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_lt, COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_le, COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR = (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR >= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ge, COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR > (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_gt, COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel);

CREATE OPERATOR CLASS halfvec_ops DEFAULT FOR TYPE halfvec USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 halfvec_cmp(halfvec, halfvec);

-- Aggregates

CREATE FUNCTION halfvec_accum(double precision[], halfvec) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_halfvec_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_combine(double precision[], double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_dense_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_avg(double precision[]) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_sum(double precision[]) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_sum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE avg(halfvec) (
	SFUNC = halfvec_accum, STYPE = double precision[], FINALFUNC = halfvec_avg, COMBINEFUNC = halfvec_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
CREATE AGGREGATE sum(halfvec) (
	SFUNC = halfvec_accum, STYPE = double precision[], FINALFUNC = halfvec_sum, COMBINEFUNC = halfvec_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
-- The type sparsevec: vectors of many dimensions, most of which are zero and not stored.

CREATE TYPE sparsevec;

CREATE FUNCTION sparsevec_in(cstring, oid, int) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_out(sparsevec) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_typmod_in(cstring[]) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_recv(internal, oid, int) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_send(sparsevec) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE sparsevec (
	INPUT = sparsevec_in, OUTPUT = sparsevec_out, TYPMOD_IN = sparsevec_typmod_in,
	RECEIVE = sparsevec_recv, SEND = sparsevec_send, STORAGE = external
);
COMMENT ON TYPE sparsevec IS 'array of real numbers of a fixed length, of which those that are not zero are stored';

-- Distances cost by the elements that are stored.
CREATE FUNCTION l2_distance(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l2_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_distance(sparsevec, sparsevec) IS 'Euclidean distance';
CREATE FUNCTION inner_product(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(sparsevec, sparsevec) IS 'inner product';
CREATE FUNCTION cosine_distance(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_cosine_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_distance(sparsevec, sparsevec) IS 'cosine distance, 1 - cosine similarity';
CREATE FUNCTION l1_distance(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l1_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l1_distance(sparsevec, sparsevec) IS 'taxicab distance';
CREATE FUNCTION sparsevec_negative_inner_product(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION sparsevec_negative_inner_product(sparsevec, sparsevec) IS 'inner product with its sign changed, so that nearer is smaller';
CREATE FUNCTION sparsevec_l2_squared_distance(sparsevec, sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION sparsevec_l2_squared_distance(sparsevec, sparsevec) IS 'square of the Euclidean distance';

CREATE FUNCTION l2_norm(sparsevec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_norm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(sparsevec) IS 'Euclidean length';
CREATE FUNCTION l2_normalize(sparsevec) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l2_normalize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(sparsevec) IS 'the vector scaled to length 1';

CREATE FUNCTION sparsevec_lt(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_le(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_eq(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_ne(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_ge(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_gt(sparsevec, sparsevec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_cmp(sparsevec, sparsevec) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = l2_distance, COMMUTATOR = <->);
COMMENT ON OPERATOR <-> (sparsevec, sparsevec) IS 'Euclidean distance';
CREATE OPERATOR <#> (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_negative_inner_product, COMMUTATOR = <#>);
COMMENT ON OPERATOR <#> (sparsevec, sparsevec) IS 'negative inner product';
CREATE OPERATOR <=> (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = cosine_distance, COMMUTATOR = <=>);
COMMENT ON OPERATOR <=> (sparsevec, sparsevec) IS 'cosine distance';
CREATE OPERATOR <+> (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = l1_distance, COMMUTATOR = <+>);
COMMENT ON OPERATOR <+> (sparsevec, sparsevec) IS 'taxicab distance';
CREATE OPERATOR < (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_lt, COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_le, COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR = (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR >= (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_ge, COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel);
CREATE OPERATOR > (LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_gt, COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel);

CREATE OPERATOR CLASS sparsevec_ops DEFAULT FOR TYPE sparsevec USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 sparsevec_cmp(sparsevec, sparsevec);
-- Distances between bit strings of equal length, such as those that binary_quantize makes.

CREATE FUNCTION hamming_distance(bit, bit) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_hamming_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_distance(bit, bit) IS 'number of bits that differ';
CREATE FUNCTION jaccard_distance(bit, bit) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_jaccard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jaccard_distance(bit, bit) IS '1 - bits set in both by bits set in any; 1 when none is common';
CREATE OPERATOR <~> (LEFTARG = bit, RIGHTARG = bit, FUNCTION = hamming_distance, COMMUTATOR = <~>);
COMMENT ON OPERATOR <~> (bit, bit) IS 'Hamming distance';
CREATE OPERATOR <%> (LEFTARG = bit, RIGHTARG = bit, FUNCTION = jaccard_distance, COMMUTATOR = <%>);
COMMENT ON OPERATOR <%> (bit, bit) IS 'Jaccard distance';
-- Casts among vector, halfvec, sparsevec and arrays: to a type modifier and to fewer digits or stored elements without
-- being asked, back and from arrays on assignment.

CREATE FUNCTION vector(vector, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec(halfvec, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec(sparsevec, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_to_vector(halfvec, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_to_halfvec(vector, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_vector_to_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_to_vector(sparsevec, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_to_sparsevec(vector, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_vector_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION sparsevec_to_halfvec(sparsevec, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_to_sparsevec(halfvec, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_vector(int[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_vector(real[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_vector(double precision[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_vector(numeric[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_halfvec(int[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_halfvec(real[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_halfvec(double precision[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_halfvec(numeric[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_sparsevec(int[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_sparsevec(real[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_sparsevec(double precision[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION array_to_sparsevec(numeric[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION vector_to_float4(vector, int, boolean) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_vector_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION halfvec_to_float4(halfvec, int, boolean) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE CAST (vector AS vector) WITH FUNCTION vector(vector, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS halfvec) WITH FUNCTION halfvec(halfvec, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS sparsevec) WITH FUNCTION sparsevec(sparsevec, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS vector) WITH FUNCTION halfvec_to_vector(halfvec, int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS halfvec) WITH FUNCTION vector_to_halfvec(vector, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS vector) WITH FUNCTION sparsevec_to_vector(sparsevec, int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS sparsevec) WITH FUNCTION vector_to_sparsevec(vector, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS halfvec) WITH FUNCTION sparsevec_to_halfvec(sparsevec, int, boolean) AS ASSIGNMENT;
CREATE CAST (halfvec AS sparsevec) WITH FUNCTION halfvec_to_sparsevec(halfvec, int, boolean) AS IMPLICIT;
CREATE CAST (int[] AS vector) WITH FUNCTION array_to_vector(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS vector) WITH FUNCTION array_to_vector(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS vector) WITH FUNCTION array_to_vector(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS vector) WITH FUNCTION array_to_vector(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (int[] AS halfvec) WITH FUNCTION array_to_halfvec(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS halfvec) WITH FUNCTION array_to_halfvec(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS halfvec) WITH FUNCTION array_to_halfvec(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS halfvec) WITH FUNCTION array_to_halfvec(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (int[] AS sparsevec) WITH FUNCTION array_to_sparsevec(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS sparsevec) WITH FUNCTION array_to_sparsevec(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS sparsevec) WITH FUNCTION array_to_sparsevec(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS sparsevec) WITH FUNCTION array_to_sparsevec(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS real[]) WITH FUNCTION vector_to_float4(vector, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS real[]) WITH FUNCTION halfvec_to_float4(halfvec, int, boolean) AS ASSIGNMENT;
-- Beside pgvector, or in its place: values of its types are maskgen's, byte for byte.

-- What these two functions make belongs to whoever calls them, not to the extension: a dump has it.

-- maskgen's types become pgvector's wherever one of those is wanted, so that pgvector's operators and indexes take them; the
-- other way needs an assignment or a cast, for with both ways open no operator would be the better one.
CREATE FUNCTION link_pgvector() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	theirs name;
	ours name := '@extschema@';
	type name;
	class record;
BEGIN
	SELECT nspname INTO theirs FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE extname = 'vector';
	IF theirs IS NULL THEN
		RAISE EXCEPTION 'extension "vector" is not installed'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CREATE EXTENSION vector first.';
	END IF;
	FOREACH type IN ARRAY ARRAY['vector', 'halfvec', 'sparsevec']::name[]
	LOOP
		-- Before 0.7 there is only the first.
		CONTINUE WHEN to_regtype(format('%I.%I', theirs, type)) IS NULL;
		CONTINUE WHEN EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype(format('%I.%I', ours, type))
			AND casttarget = to_regtype(format('%I.%I', theirs, type)));
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS IMPLICIT', ours, type, theirs);
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS ASSIGNMENT', theirs, type, ours);
		EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.sphere(%1$I.%2$I, float8) RETURNS %3$I.%4$I LANGUAGE sql IMMUTABLE PARALLEL SAFE
			BEGIN ATOMIC SELECT ROW($1::%3$I.%2$I, $2)::%3$I.%4$I; END', theirs, type, ours, type || '_sphere');
	END LOOP;
	-- Classes of maskgen_hnsw for pgvector's own columns, under pgvector's names: an index compares bytes, whoever's they are.
	-- "near" is pgvector's operator; "within", the one with a radius, it does not have.
	FOR class IN
		SELECT c.opcname, c.opcdefault, t.typname, near.oprname AS near, within.oprname AS within, within.oprright::regtype AS sphere,
			within.oprrest, within.oprjoin, f.proname, f.probin, f.prosrc, f.procost, p.amproc::regprocedure AS kind
		FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'maskgen_hnsw'
			JOIN pg_namespace n ON n.oid = c.opcnamespace AND n.nspname = ours
			JOIN pg_type t ON t.oid = c.opcintype AND t.typnamespace = n.oid
			JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 1 JOIN pg_operator near ON near.oid = a.amopopr
			JOIN pg_amop b ON b.amopfamily = c.opcfamily AND b.amopstrategy = 2 JOIN pg_operator within ON within.oid = b.amopopr
			JOIN pg_proc f ON f.oid = within.oprcode
			JOIN pg_amproc p ON p.amprocfamily = c.opcfamily
		WHERE to_regoperator(format('%I.%s(%1$I.%3$I,%1$I.%3$I)', theirs, near.oprname, t.typname)) IS NOT NULL
			AND NOT EXISTS (SELECT FROM pg_opclass x JOIN pg_namespace y ON y.oid = x.opcnamespace
				WHERE x.opcmethod = m.oid AND x.opcname = c.opcname AND y.nspname = theirs)
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.%2$I(%1$I.%3$I, %4$s) RETURNS boolean
			AS %5$L, %6$L LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %7$s',
			theirs, class.proname, class.typname, class.sphere, class.probin, class.prosrc, class.procost);
		IF to_regoperator(format('%1$I.%2$s(%1$I.%3$I,%4$s)', theirs, class.within, class.typname, class.sphere)) IS NULL THEN
			EXECUTE format('CREATE OPERATOR %1$I.%2$s
				(LEFTARG = %1$I.%3$I, RIGHTARG = %4$s, FUNCTION = %1$I.%5$I, RESTRICT = %6$s, JOIN = %7$s)',
				theirs, class.within, class.typname, class.sphere, class.proname, class.oprrest, class.oprjoin);
		END IF;
		EXECUTE format('CREATE OPERATOR CLASS %I.%I %s FOR TYPE %1$I.%4$I USING maskgen_hnsw AS
			OPERATOR 1 %1$I.%5$s (%1$I.%4$I, %1$I.%4$I) FOR ORDER BY pg_catalog.float_ops,
			OPERATOR 2 %1$I.%6$s (%1$I.%4$I, %7$s), FUNCTION 1 %8$s',
			theirs, class.opcname, CASE WHEN class.opcdefault THEN 'DEFAULT' END, class.typname, class.near, class.within, class.sphere, class.kind);
	END LOOP;
END $$;
COMMENT ON FUNCTION link_pgvector() IS
'casts between the types of pgvector and those of maskgen that change nothing, and classes of maskgen_hnsw and operators with a radius for its types; for superusers';

CREATE FUNCTION enable_pgvector_names() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ours name := '@extschema@';
	class record;
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
		RAISE EXCEPTION 'access method "hnsw" is that of extension "vector" in this database'
			USING ERRCODE = 'duplicate_object', HINT = 'Use maskgen_hnsw beside it; link_pgvector() gives that to columns of its types.';
	ELSIF EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') THEN
		RAISE EXCEPTION 'access method "hnsw" exists already' USING ERRCODE = 'duplicate_object';
	END IF;
	EXECUTE format('CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER %I.maskgen_hnsw_handler', ours);
	FOR class IN
		SELECT c.opcname, c.opcdefault, c.opcintype::regtype AS type, near.amopopr::regoperator AS near,
			within.amopopr::regoperator AS within, p.amproc::regprocedure AS kind
		FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'maskgen_hnsw'
			JOIN pg_namespace n ON n.oid = c.opcnamespace AND n.nspname = ours
			JOIN pg_amop near ON near.amopfamily = c.opcfamily AND near.amopstrategy = 1
			JOIN pg_amop within ON within.amopfamily = c.opcfamily AND within.amopstrategy = 2
			JOIN pg_amproc p ON p.amprocfamily = c.opcfamily
	LOOP
		EXECUTE format('CREATE OPERATOR CLASS %I.%I %s FOR TYPE %s USING hnsw AS
			OPERATOR 1 %s FOR ORDER BY pg_catalog.float_ops, OPERATOR 2 %s, FUNCTION 1 %s',
			ours, class.opcname, CASE WHEN class.opcdefault THEN 'DEFAULT' END, class.type, class.near, class.within, class.kind);
	END LOOP;
END $$;
COMMENT ON FUNCTION enable_pgvector_names() IS
'the access method maskgen_hnsw under the name hnsw as well, where pgvector is not installed; for superusers';
-- The access method maskgen_hnsw: nearest rows, and all rows within a radius.

CREATE FUNCTION maskgen_hnsw_handler(internal) RETURNS index_am_handler
AS 'MODULE_PATHNAME', 'maskgen_hnsw_handler' LANGUAGE C;
CREATE ACCESS METHOD maskgen_hnsw TYPE INDEX HANDLER maskgen_hnsw_handler;
COMMENT ON ACCESS METHOD maskgen_hnsw IS 'graph of vectors for nearest neighbours';

CREATE FUNCTION spheresel(internal, oid, internal, integer) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_spheresel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION spheresel(internal, oid, internal, integer) IS 'restriction selectivity of operators with a radius, from a sample of rows';

-- All rows within a distance: embedding <<=>> sphere('[1,2,3]'::vector, 0.3)

-- vector

CREATE TYPE vector_sphere AS (center vector, radius float8);
COMMENT ON TYPE vector_sphere IS 'values within a distance of one';
CREATE FUNCTION sphere(vector, float8) RETURNS vector_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::vector_sphere; END;
COMMENT ON FUNCTION sphere(vector, float8) IS 'values within a distance of one';

CREATE FUNCTION vector_l2_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = vector_l2_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (vector, vector_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION hnsw_vector_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (vector, vector_sphere),
	FUNCTION 1 hnsw_vector_l2_kind(internal);

CREATE FUNCTION vector_ip_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = vector_ip_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (vector, vector_sphere) IS 'is within a negative inner product';
CREATE FUNCTION hnsw_vector_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (vector, vector_sphere),
	FUNCTION 1 hnsw_vector_ip_kind(internal);

CREATE FUNCTION vector_cosine_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = vector_cosine_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (vector, vector_sphere) IS 'is within a cosine distance';
CREATE FUNCTION hnsw_vector_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_cosine_ops DEFAULT FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (vector, vector_sphere),
	FUNCTION 1 hnsw_vector_cosine_kind(internal);

CREATE FUNCTION vector_l1_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = vector_l1_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (vector, vector_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION hnsw_vector_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (vector, vector_sphere),
	FUNCTION 1 hnsw_vector_l1_kind(internal);

-- halfvec

CREATE TYPE halfvec_sphere AS (center halfvec, radius float8);
COMMENT ON TYPE halfvec_sphere IS 'values within a distance of one';
CREATE FUNCTION sphere(halfvec, float8) RETURNS halfvec_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::halfvec_sphere; END;
COMMENT ON FUNCTION sphere(halfvec, float8) IS 'values within a distance of one';

CREATE FUNCTION halfvec_l2_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = halfvec_l2_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (halfvec, halfvec_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION hnsw_halfvec_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (halfvec, halfvec_sphere),
	FUNCTION 1 hnsw_halfvec_l2_kind(internal);

CREATE FUNCTION halfvec_ip_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = halfvec_ip_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (halfvec, halfvec_sphere) IS 'is within a negative inner product';
CREATE FUNCTION hnsw_halfvec_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (halfvec, halfvec_sphere),
	FUNCTION 1 hnsw_halfvec_ip_kind(internal);

CREATE FUNCTION halfvec_cosine_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = halfvec_cosine_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (halfvec, halfvec_sphere) IS 'is within a cosine distance';
CREATE FUNCTION hnsw_halfvec_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_cosine_ops DEFAULT FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (halfvec, halfvec_sphere),
	FUNCTION 1 hnsw_halfvec_cosine_kind(internal);

CREATE FUNCTION halfvec_l1_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = halfvec_l1_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (halfvec, halfvec_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION hnsw_halfvec_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (halfvec, halfvec_sphere),
	FUNCTION 1 hnsw_halfvec_l1_kind(internal);

-- sparsevec

CREATE TYPE sparsevec_sphere AS (center sparsevec, radius float8);
COMMENT ON TYPE sparsevec_sphere IS 'values within a distance of one';
CREATE FUNCTION sphere(sparsevec, float8) RETURNS sparsevec_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::sparsevec_sphere; END;
COMMENT ON FUNCTION sphere(sparsevec, float8) IS 'values within a distance of one';

CREATE FUNCTION sparsevec_l2_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = sparsevec_l2_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (sparsevec, sparsevec_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION hnsw_sparsevec_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_l2_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (sparsevec, sparsevec_sphere),
	FUNCTION 1 hnsw_sparsevec_l2_kind(internal);

CREATE FUNCTION sparsevec_ip_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = sparsevec_ip_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (sparsevec, sparsevec_sphere) IS 'is within a negative inner product';
CREATE FUNCTION hnsw_sparsevec_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_ip_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 hnsw_sparsevec_ip_kind(internal);

CREATE FUNCTION sparsevec_cosine_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = sparsevec_cosine_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (sparsevec, sparsevec_sphere) IS 'is within a cosine distance';
CREATE FUNCTION hnsw_sparsevec_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_cosine_ops DEFAULT FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 hnsw_sparsevec_cosine_kind(internal);

CREATE FUNCTION sparsevec_l1_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = sparsevec_l1_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (sparsevec, sparsevec_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION hnsw_sparsevec_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_l1_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <+> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 hnsw_sparsevec_l1_kind(internal);

-- bit

CREATE TYPE bit_sphere AS (center "bit", radius float8);
COMMENT ON TYPE bit_sphere IS 'values within a distance of one';
CREATE FUNCTION sphere(bit, float8) RETURNS bit_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::bit_sphere; END;
COMMENT ON FUNCTION sphere(bit, float8) IS 'values within a distance of one';

CREATE FUNCTION bit_hamming_within(bit, bit_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_bit_hamming_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<~>> (LEFTARG = bit, RIGHTARG = bit_sphere, FUNCTION = bit_hamming_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<~>> (bit, bit_sphere) IS 'is within a Hamming distance';
CREATE FUNCTION hnsw_bit_hamming_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_bit_hamming_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS bit_hamming_ops DEFAULT FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<~>> (bit, bit_sphere),
	FUNCTION 1 hnsw_bit_hamming_kind(internal);

CREATE FUNCTION bit_jaccard_within(bit, bit_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_bit_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<%>> (LEFTARG = bit, RIGHTARG = bit_sphere, FUNCTION = bit_jaccard_within, RESTRICT = spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<%>> (bit, bit_sphere) IS 'is within a Jaccard distance';
CREATE FUNCTION hnsw_bit_jaccard_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_bit_jaccard_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<%>> (bit, bit_sphere),
	FUNCTION 1 hnsw_bit_jaccard_kind(internal);

-- Looking after an index

CREATE FUNCTION index_check(index regclass, heap_rows boolean DEFAULT false, OUT block bigint, OUT slot int, OUT problem text)
RETURNS SETOF record AS 'MODULE_PATHNAME', 'maskgen_index_check' LANGUAGE C VOLATILE STRICT COST 100000;
COMMENT ON FUNCTION index_check(regclass, boolean) IS 'what is wrong with a maskgen_hnsw index: no row if nothing is; heap_rows: also rows that it lacks';
CREATE FUNCTION index_info(index regclass, OUT version int, OUT dims int, OUT m int, OUT ef_construction int,
	OUT quantizer text, OUT code_bits int, OUT entries_per_page int, OUT pages bigint, OUT levels int, OUT nodes bigint,
	OUT deleted bigint, OUT dead_links bigint, OUT unreachable bigint)
AS 'MODULE_PATHNAME', 'maskgen_index_info' LANGUAGE C VOLATILE STRICT COST 100000;
COMMENT ON FUNCTION index_info(regclass) IS 'what a maskgen_hnsw index consists of';
-- Both lock the table against writers: as amcheck's, they are for whom a superuser lets.
REVOKE EXECUTE ON FUNCTION index_check(regclass, boolean), index_info(regclass) FROM PUBLIC;

CREATE FUNCTION index_memory(rows bigint, dims int, m int DEFAULT 16) RETURNS bigint
AS 'MODULE_PATHNAME', 'maskgen_index_memory' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION index_memory(bigint, int, int) IS 'bytes of maintenance_work_mem in which an index of vectors is built without slowing down';

-- Rows whose distances tie with the last exact one count as found.
CREATE FUNCTION index_recall(index regclass, samples int DEFAULT 100, k int DEFAULT 10) RETURNS float8
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp SET enable_seqscan = on SET enable_sort = on SET enable_indexscan = on AS $$
DECLARE
	tab regclass; op text; expr text; pred text; found bigint := 0; wanted bigint := 0; one text; value text; q text;
BEGIN
	-- Samples are handed on as text: the plans of an expression of this function are for one type.
	SELECT i.indrelid, pg_get_indexdef(i.indexrelid, 1, true), coalesce(pg_get_expr(i.indpred, i.indrelid, true), 'true'),
		format('OPERATOR(%I.%s)', n.nspname, o.oprname), format('$1::%I.%I', tn.nspname, t.typname)
	INTO tab, expr, pred, op, value
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname IN ('maskgen_hnsw', 'hnsw')
		JOIN pg_opclass oc ON oc.oid = i.indclass[0]
		JOIN pg_amop a ON a.amopfamily = oc.opcfamily AND a.amopstrategy = 1 AND a.amoppurpose = 'o'
		JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
		JOIN pg_type t ON t.oid = oc.opcintype JOIN pg_namespace tn ON tn.oid = t.typnamespace
	WHERE i.indexrelid = index;
	IF tab IS NULL THEN
		RAISE EXCEPTION '"%" is not a maskgen_hnsw index', index USING ERRCODE = 'wrong_object_type';
	END IF;
	IF samples < 1 OR k < 1 THEN
		RAISE EXCEPTION 'samples and k must be at least 1' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	q := format('SELECT %1$s %2$s (%5$s) AS d FROM %3$s WHERE (%4$s) AND %1$s IS NOT NULL ORDER BY %1$s %2$s (%5$s) LIMIT $2', expr, op, tab, pred, value);
	FOR one IN EXECUTE format('SELECT (%s)::text FROM %s WHERE (%s) AND (%1$s) IS NOT NULL ORDER BY random() LIMIT $1', expr, tab, pred) USING samples LOOP
		DECLARE
			near float8[]; exact float8[];
		BEGIN
			SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on;
			EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (%s) x', q) INTO near USING one, k;
			SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off;
			EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (%s) x', q) INTO exact USING one, k;
			wanted := wanted + cardinality(exact);
			found := found + (SELECT count(*) FROM unnest(near) d WHERE d <= exact[cardinality(exact)]);
		END;
	END LOOP;
	RETURN found::float8 / nullif(wanted, 0);
END;
$$;
COMMENT ON FUNCTION index_recall(regclass, int, int) IS 'part of the k exactly nearest rows that an index finds, over samples of its own rows';
-- Models: their bytes, owners and grants, in tables that pg_dump carries along.
-- Only the functions below write to them.

CREATE SEQUENCE model_id_seq;

CREATE TABLE model (
	id bigint PRIMARY KEY DEFAULT nextval('maskgen.model_id_seq'),
	name text NOT NULL UNIQUE,
	version text NOT NULL,          -- SHA-256 of the image, in hexadecimal
	owner regrole NOT NULL,
	architecture text NOT NULL,
	tasks text NOT NULL,
	dims int NOT NULL,
	max_tokens int NOT NULL,
	parameters bigint NOT NULL,
	dtype text NOT NULL,            -- that matrices are stored in
	stored_bytes bigint NOT NULL,   -- of the image below
	options jsonb NOT NULL,
	created timestamptz NOT NULL DEFAULT now()
);

-- The portable image, cut into pieces of 1 MB; weights do not compress.
CREATE TABLE model_chunk (
	model bigint NOT NULL REFERENCES maskgen.model ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	part int NOT NULL,
	data bytea NOT NULL,
	PRIMARY KEY (model, part)
);
ALTER TABLE model_chunk ALTER data SET STORAGE EXTERNAL;

-- Who besides the owner may use a model; role 0, shown as "-", is everybody.
CREATE TABLE model_grant (
	model bigint NOT NULL REFERENCES maskgen.model ON DELETE CASCADE,
	role regrole NOT NULL,
	PRIMARY KEY (model, role)
);

SELECT pg_catalog.pg_extension_config_dump('maskgen.model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('maskgen.model', '');
SELECT pg_catalog.pg_extension_config_dump('maskgen.model_chunk', '');
SELECT pg_catalog.pg_extension_config_dump('maskgen.model_grant', '');

-- Backends remember what these tables say; any change, a restore's COPY included, tells them to look again.
CREATE FUNCTION model_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_changed' LANGUAGE C;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON model
FOR EACH STATEMENT EXECUTE FUNCTION model_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON model_grant
FOR EACH STATEMENT EXECUTE FUNCTION model_changed();

CREATE FUNCTION create_model(name text, path text, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_create_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_model(text, text, jsonb) IS
'read a model from a directory on the server and store it; returns its content hash';

CREATE FUNCTION drop_model(name text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_model(text) IS 'remove a model';

CREATE FUNCTION load_model(name text, pin boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_load_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION load_model(text, boolean) IS
'bring a model into shared memory now; pinned, it is never evicted';

CREATE FUNCTION unload_model(name text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_unload_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION unload_model(text) IS 'take a model, pinned or not, out of shared memory; the next use loads it again';

CREATE FUNCTION grant_model(name text, role text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_grant_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grant_model(text, text) IS 'let a role, or public, use a model';

CREATE FUNCTION revoke_model(name text, role text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_revoke_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION revoke_model(text, text) IS 'take back what grant_model gave';

CREATE FUNCTION model_state(OUT model bigint, OUT resident_bytes bigint, OUT loaded boolean, OUT pinned boolean,
	OUT users int, OUT kernel text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_state' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION model_state() IS 'what of each model is in shared memory; read maskgen.models instead';

CREATE FUNCTION model_statistics(OUT model bigint, OUT calls bigint, OUT rows bigint, OUT tokens bigint,
	OUT batches bigint, OUT compute_time double precision, OUT errors bigint, OUT cache_hits bigint,
	OUT stats_reset timestamptz) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_statistics' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION model_statistics() IS 'what each model was used for; read maskgen.stat_models instead';

CREATE FUNCTION stat_models_reset(name text DEFAULT '') RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_stat_models_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION stat_models_reset(text) IS 'set the counters of one model, or of all, to zero';
REVOKE ALL ON FUNCTION stat_models_reset(text) FROM PUBLIC;

CREATE VIEW models AS
SELECT m.name, m.version, m.architecture, m.tasks, m.dims, m.max_tokens, m.parameters, m.dtype,
	m.stored_bytes, s.resident_bytes, s.loaded, s.pinned, s.users, m.owner, s.kernel, m.created
FROM maskgen.model m JOIN maskgen.model_state() s ON s.model OPERATOR(pg_catalog.=) m.id;
COMMENT ON VIEW models IS 'the models of this database, and what of them is in memory';

CREATE VIEW stat_models AS
SELECT m.name, s.calls, s.rows, s.tokens, s.batches, s.compute_time, s.errors, s.cache_hits, s.stats_reset
FROM maskgen.model m JOIN maskgen.model_statistics() s ON s.model OPERATOR(pg_catalog.=) m.id;
COMMENT ON VIEW stat_models IS 'what the models of this database were used for; compute_time is in milliseconds';

GRANT SELECT ON models, stat_models TO PUBLIC;
-- The tasks. Functions that name a model are IMMUTABLE, for a model never
-- changes under its name; those that read a setting are STABLE. COST is in
-- units of cpu_operator_cost (0.0025 of a page read, some 10 ns): a short text
-- is about 2 ms with a small embedder and 50 ms with BERT base. The planner uses it where
-- the support functions do not know: they go by the model's size and the width of the input.

CREATE FUNCTION embed_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_embed_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION embed_support(internal) IS 'planner support: cost of embed and its kin';

CREATE FUNCTION fill_mask_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fill_mask_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION fill_mask_support(internal) IS 'planner support: cost and rows of fill_mask';

CREATE FUNCTION classify_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_classify_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION classify_support(internal) IS 'planner support: cost and rows of classify and its kin';

CREATE FUNCTION tokenize_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_tokenize_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION tokenize_support(internal) IS 'planner support: cost and rows of tokenize and its kin';

CREATE FUNCTION embed(model text, input text, prompt text DEFAULT '', dims int DEFAULT 0,
	normalized boolean DEFAULT true) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT embed_support;
COMMENT ON FUNCTION embed(text, text, text, int, boolean) IS 'vector of a text';

CREATE FUNCTION embed(input text) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_default' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 200000
SUPPORT embed_support;
COMMENT ON FUNCTION embed(text) IS 'vector of a text, by the model of maskgen.embed_model';

CREATE FUNCTION embed_batch(model text, inputs text[], prompt text DEFAULT '', dims int DEFAULT 0,
	normalized boolean DEFAULT true) RETURNS vector[]
AS 'MODULE_PATHNAME', 'maskgen_embed_batch' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT embed_support;
COMMENT ON FUNCTION embed_batch(text, text[], text, int, boolean) IS 'vectors of texts, computed together';

CREATE FUNCTION embed_query(model text, input text, dims int DEFAULT 0) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_query' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT embed_support;
COMMENT ON FUNCTION embed_query(text, text, int) IS 'vector of a search query, with the model''s own prompt for queries';

CREATE FUNCTION embed_document(model text, input text, dims int DEFAULT 0) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_document' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT embed_support;
COMMENT ON FUNCTION embed_document(text, text, int) IS
'vector of a text to be found, with the model''s own prompt for documents';

CREATE FUNCTION fill_mask(model text, input text, top_k int DEFAULT 5, targets text[] DEFAULT '{}',
	OUT mask int, OUT rank int, OUT token_id int, OUT token text, OUT score real, OUT sequence text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_fill_mask' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000 ROWS 5
SUPPORT fill_mask_support;
COMMENT ON FUNCTION fill_mask(text, text, int, text[]) IS 'the likeliest words in place of each [MASK] of a text';

CREATE FUNCTION classify(model text, input text, labels text[], template text DEFAULT '') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_classify' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000
SUPPORT classify_support;
COMMENT ON FUNCTION classify(text, text, text[], text) IS 'the label that fits a text best, zero-shot';

CREATE FUNCTION classify(input text, labels text[]) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_classify_default' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 2000000
SUPPORT classify_support;
COMMENT ON FUNCTION classify(text, text[]) IS
'the label that fits a text best, by the model of maskgen.classify_model';

CREATE FUNCTION classify_scores(model text, input text, labels text[], template text DEFAULT '',
	OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_classify_scores' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000 ROWS 4
SUPPORT classify_support;
COMMENT ON FUNCTION classify_scores(text, text, text[], text) IS
'the score of each label for a text, best first: log probability, less what it would be without a text';

-- Not STRICT: the third argument is NULL::some_enum. STABLE, since an enum can get new labels.
CREATE FUNCTION classify_as(model text, input text, labels anyenum, template text DEFAULT '') RETURNS anyenum
AS 'MODULE_PATHNAME', 'maskgen_classify_as' LANGUAGE C STABLE PARALLEL SAFE COST 2000000
SUPPORT classify_support;
COMMENT ON FUNCTION classify_as(text, text, anyenum, text) IS
'the value of an enum type that fits a text best: classify_as(model, input, NULL::some_enum)';

CREATE FUNCTION tokenize(model text, input text) RETURNS int[]
AS 'MODULE_PATHNAME', 'maskgen_tokenize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500
SUPPORT tokenize_support;
COMMENT ON FUNCTION tokenize(text, text) IS 'token ids of a text as the model sees it, special tokens included';

CREATE FUNCTION detokenize(model text, ids int[]) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_detokenize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION detokenize(text, int[]) IS 'text of token ids; special tokens are left out';

CREATE FUNCTION count_tokens(model text, input text) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_count_tokens' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500
SUPPORT tokenize_support;
COMMENT ON FUNCTION count_tokens(text, text) IS
'tokens of a text, special tokens included; to be compared with max_tokens of maskgen.models';

CREATE FUNCTION tokens(model text, input text, OUT pos int, OUT id int, OUT token text, OUT start int, OUT stop int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_tokens' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 30
SUPPORT tokenize_support;
COMMENT ON FUNCTION tokens(text, text) IS
'tokens of a text with their places: substr(input, start, stop - start); NULL for tokens put around it';
-- Embedding what a statement has written, in batches, after it.

CREATE FUNCTION embed_statement_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_embed_statement_trigger' LANGUAGE C;
COMMENT ON FUNCTION embed_statement_trigger() IS
'trigger: embeds the rows of a statement together; arguments are a model, columns of text, and the column of the vector';

CREATE FUNCTION create_embed_trigger(table_name regclass, model text, VARIADIC columns text[]) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_create_embed_trigger' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_embed_trigger(regclass, text, text[]) IS
'embed columns of text of a table into its last-named column, on each INSERT, COPY and UPDATE';

CREATE FUNCTION drop_embed_trigger(table_name regclass, target text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_embed_trigger' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_embed_trigger(regclass, text) IS 'remove what create_embed_trigger made for a column';
-- Results that all sessions share. What is in the cache shows nowhere; how full it is does.

CREATE FUNCTION result_cache_state(OUT size bigint, OUT entries bigint, OUT bytes bigint, OUT hits bigint,
	OUT misses bigint, OUT evictions bigint, OUT stats_reset timestamptz)
AS 'MODULE_PATHNAME', 'maskgen_result_cache_state' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION result_cache_state() IS 'how full the result cache is and what it was good for; read maskgen.result_cache instead';

CREATE FUNCTION result_cache_reset() RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_result_cache_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION result_cache_reset() IS 'empty the result cache and set its counters to zero';
REVOKE ALL ON FUNCTION result_cache_reset() FROM PUBLIC;

CREATE VIEW result_cache AS
SELECT size, entries, bytes, hits, misses, evictions, stats_reset FROM maskgen.result_cache_state();
COMMENT ON VIEW result_cache IS 'results that all sessions of the server share; size 0: there is no cache';

GRANT SELECT ON result_cache TO PUBLIC;
