-- The type vector, with the names, forms and results that pgvector's users know.

CREATE TYPE vector;

CREATE FUNCTION "+maskgen".vector_in(cstring, oid, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_out(vector) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_vector_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_typmod_in(cstring[]) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_vector_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_recv(internal, oid, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_send(vector) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_vector_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE vector (
	INPUT = "+maskgen".vector_in, OUTPUT = "+maskgen".vector_out, TYPMOD_IN = "+maskgen".vector_typmod_in,
	RECEIVE = "+maskgen".vector_recv, SEND = "+maskgen".vector_send, STORAGE = external
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
CREATE FUNCTION "+maskgen".vector_negative_inner_product(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".vector_negative_inner_product(vector, vector) IS 'inner product with its sign changed, so that nearer is smaller';
CREATE FUNCTION "+maskgen".vector_l2_squared_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".vector_l2_squared_distance(vector, vector) IS 'square of the Euclidean distance';
CREATE FUNCTION "+maskgen".vector_spherical_distance(vector, vector) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_vector_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".vector_spherical_distance(vector, vector) IS 'angle between two vectors of length 1, as a part of half a turn';

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
COMMENT ON FUNCTION binary_quantize(vector) IS 'a bit for each element: 1 where it is above zero';
CREATE FUNCTION subvector(vector, int, int) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(vector, int, int) IS 'elements from the first number on, as many as the second says';

CREATE FUNCTION "+maskgen".vector_add(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".vector_sub(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".vector_mul(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".vector_concat(vector, vector) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_lt(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_le(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_eq(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_ne(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_ge(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_gt(vector, vector) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_cmp(vector, vector) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_vector_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance, COMMUTATOR = <->);
COMMENT ON OPERATOR <-> (vector, vector) IS 'Euclidean distance';
CREATE OPERATOR <#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_negative_inner_product, COMMUTATOR = <#>);
COMMENT ON OPERATOR <#> (vector, vector) IS 'negative inner product';
CREATE OPERATOR <=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance, COMMUTATOR = <=>);
COMMENT ON OPERATOR <=> (vector, vector) IS 'cosine distance';
CREATE OPERATOR <+> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l1_distance, COMMUTATOR = <+>);
COMMENT ON OPERATOR <+> (vector, vector) IS 'taxicab distance';
CREATE OPERATOR + (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_add, COMMUTATOR = +);
COMMENT ON OPERATOR + (vector, vector) IS 'sum by element';
CREATE OPERATOR - (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_sub);
COMMENT ON OPERATOR - (vector, vector) IS 'difference by element';
CREATE OPERATOR * (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_mul, COMMUTATOR = *);
COMMENT ON OPERATOR * (vector, vector) IS 'product by element';
CREATE OPERATOR || (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_concat);
COMMENT ON OPERATOR || (vector, vector) IS 'the two, joined';
CREATE OPERATOR < (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_lt, COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (vector, vector) IS 'is less, in the order of an index';
CREATE OPERATOR <= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_le, COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (vector, vector) IS 'is less or equal, in the order of an index';
CREATE OPERATOR = (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel);
COMMENT ON OPERATOR = (vector, vector) IS 'is equal';
CREATE OPERATOR <> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (vector, vector) IS 'is not equal';
CREATE OPERATOR >= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_ge, COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (vector, vector) IS 'is greater or equal, in the order of an index';
CREATE OPERATOR > (LEFTARG = vector, RIGHTARG = vector, FUNCTION = "+maskgen".vector_gt, COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (vector, vector) IS 'is greater, in the order of an index';

CREATE OPERATOR CLASS vector_ops DEFAULT FOR TYPE vector USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 "+maskgen".vector_cmp(vector, vector);
COMMENT ON OPERATOR CLASS vector_ops USING btree IS 'order of vector, for indexes, ORDER BY and DISTINCT';

-- Aggregates

CREATE FUNCTION "+maskgen".vector_accum(double precision[], vector) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_vector_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_combine(double precision[], double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_dense_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_avg(double precision[]) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_sum(double precision[]) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_sum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE avg(vector) (
	SFUNC = "+maskgen".vector_accum, STYPE = double precision[], FINALFUNC = "+maskgen".vector_avg, COMBINEFUNC = "+maskgen".vector_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(vector) IS 'mean by element';
CREATE AGGREGATE sum(vector) (
	SFUNC = "+maskgen".vector_accum, STYPE = double precision[], FINALFUNC = "+maskgen".vector_sum, COMBINEFUNC = "+maskgen".vector_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(vector) IS 'sum by element';
