-- The type halfvec: vector in half the room, with numbers of float16.

CREATE TYPE halfvec;

CREATE FUNCTION "+maskgen".halfvec_in(cstring, oid, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_out(halfvec) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_halfvec_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_typmod_in(cstring[]) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_halfvec_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_recv(internal, oid, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_send(halfvec) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_halfvec_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE halfvec (
	INPUT = "+maskgen".halfvec_in, OUTPUT = "+maskgen".halfvec_out, TYPMOD_IN = "+maskgen".halfvec_typmod_in,
	RECEIVE = "+maskgen".halfvec_recv, SEND = "+maskgen".halfvec_send, STORAGE = external
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
CREATE FUNCTION "+maskgen".halfvec_negative_inner_product(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_negative_inner_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".halfvec_negative_inner_product(halfvec, halfvec) IS 'inner product with its sign changed, so that nearer is smaller';
CREATE FUNCTION "+maskgen".halfvec_l2_squared_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_squared_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".halfvec_l2_squared_distance(halfvec, halfvec) IS 'square of the Euclidean distance';
CREATE FUNCTION "+maskgen".halfvec_spherical_distance(halfvec, halfvec) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_halfvec_spherical_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION "+maskgen".halfvec_spherical_distance(halfvec, halfvec) IS 'angle between two vectors of length 1, as a part of half a turn';

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
COMMENT ON FUNCTION binary_quantize(halfvec) IS 'a bit for each element: 1 where it is above zero';
CREATE FUNCTION subvector(halfvec, int, int) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_subvector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(halfvec, int, int) IS 'elements from the first number on, as many as the second says';

CREATE FUNCTION "+maskgen".halfvec_add(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".halfvec_sub(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_sub' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".halfvec_mul(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_mul' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION "+maskgen".halfvec_concat(halfvec, halfvec) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_concat' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_lt(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_le(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_eq(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_ne(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_ge(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_gt(halfvec, halfvec) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_cmp(halfvec, halfvec) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_halfvec_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l2_distance, COMMUTATOR = <->);
COMMENT ON OPERATOR <-> (halfvec, halfvec) IS 'Euclidean distance';
CREATE OPERATOR <#> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_negative_inner_product, COMMUTATOR = <#>);
COMMENT ON OPERATOR <#> (halfvec, halfvec) IS 'negative inner product';
CREATE OPERATOR <=> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = cosine_distance, COMMUTATOR = <=>);
COMMENT ON OPERATOR <=> (halfvec, halfvec) IS 'cosine distance';
CREATE OPERATOR <+> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l1_distance, COMMUTATOR = <+>);
COMMENT ON OPERATOR <+> (halfvec, halfvec) IS 'taxicab distance';
CREATE OPERATOR + (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_add, COMMUTATOR = +);
COMMENT ON OPERATOR + (halfvec, halfvec) IS 'sum by element';
CREATE OPERATOR - (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_sub);
COMMENT ON OPERATOR - (halfvec, halfvec) IS 'difference by element';
CREATE OPERATOR * (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_mul, COMMUTATOR = *);
COMMENT ON OPERATOR * (halfvec, halfvec) IS 'product by element';
CREATE OPERATOR || (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_concat);
COMMENT ON OPERATOR || (halfvec, halfvec) IS 'the two, joined';
CREATE OPERATOR < (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_lt, COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR < (halfvec, halfvec) IS 'is less, in the order of an index';
CREATE OPERATOR <= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_le, COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR <= (halfvec, halfvec) IS 'is less or equal, in the order of an index';
CREATE OPERATOR = (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel);
COMMENT ON OPERATOR = (halfvec, halfvec) IS 'is equal';
CREATE OPERATOR <> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR <> (halfvec, halfvec) IS 'is not equal';
CREATE OPERATOR >= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_ge, COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR >= (halfvec, halfvec) IS 'is greater or equal, in the order of an index';
CREATE OPERATOR > (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = "+maskgen".halfvec_gt, COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR > (halfvec, halfvec) IS 'is greater, in the order of an index';

CREATE OPERATOR CLASS halfvec_ops DEFAULT FOR TYPE halfvec USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 "+maskgen".halfvec_cmp(halfvec, halfvec);
COMMENT ON OPERATOR CLASS halfvec_ops USING btree IS 'order of halfvec, for indexes, ORDER BY and DISTINCT';

-- Aggregates

CREATE FUNCTION "+maskgen".halfvec_accum(double precision[], halfvec) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_halfvec_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_combine(double precision[], double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'maskgen_dense_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_avg(double precision[]) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_sum(double precision[]) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_sum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE AGGREGATE avg(halfvec) (
	SFUNC = "+maskgen".halfvec_accum, STYPE = double precision[], FINALFUNC = "+maskgen".halfvec_avg, COMBINEFUNC = "+maskgen".halfvec_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(halfvec) IS 'mean by element';
CREATE AGGREGATE sum(halfvec) (
	SFUNC = "+maskgen".halfvec_accum, STYPE = double precision[], FINALFUNC = "+maskgen".halfvec_sum, COMBINEFUNC = "+maskgen".halfvec_combine,
	INITCOND = '{0}', PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(halfvec) IS 'sum by element';
