-- The access method maskgen_hnsw: nearest rows, and all rows within a radius.

CREATE FUNCTION "+maskgen".maskgen_hnsw_handler(internal) RETURNS index_am_handler
AS 'MODULE_PATHNAME', 'maskgen_hnsw_handler' LANGUAGE C;
CREATE ACCESS METHOD maskgen_hnsw TYPE INDEX HANDLER "+maskgen".maskgen_hnsw_handler;
COMMENT ON ACCESS METHOD maskgen_hnsw IS 'graph of vectors for nearest neighbours';

CREATE FUNCTION "+maskgen".spheresel(internal, oid, internal, integer) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_spheresel' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION "+maskgen".spheresel(internal, oid, internal, integer) IS 'restriction selectivity of operators with a radius, from a sample of rows';

-- All rows within a distance: embedding <<=>> sphere('[1,2,3]'::vector, 0.3)

-- vector

CREATE TYPE vector_sphere AS (center vector, radius float8);
COMMENT ON TYPE vector_sphere IS 'a vector and a distance: what sphere() makes, for operators such as <<=>>';
CREATE FUNCTION sphere(vector, float8) RETURNS vector_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::vector_sphere; END;
COMMENT ON FUNCTION sphere(vector, float8) IS 'all that is within a distance of a vector, for operators such as <<=>>';

CREATE FUNCTION "+maskgen".vector_l2_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = "+maskgen".vector_l2_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (vector, vector_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION "+maskgen".hnsw_vector_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (vector, vector_sphere),
	FUNCTION 1 "+maskgen".hnsw_vector_l2_kind(internal);
COMMENT ON OPERATOR CLASS vector_l2_ops USING maskgen_hnsw IS 'nearest vector by Euclidean distance';

CREATE FUNCTION "+maskgen".vector_ip_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = "+maskgen".vector_ip_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (vector, vector_sphere) IS 'is within a negative inner product';
CREATE FUNCTION "+maskgen".hnsw_vector_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (vector, vector_sphere),
	FUNCTION 1 "+maskgen".hnsw_vector_ip_kind(internal);
COMMENT ON OPERATOR CLASS vector_ip_ops USING maskgen_hnsw IS 'nearest vector by negative inner product';

CREATE FUNCTION "+maskgen".vector_cosine_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = "+maskgen".vector_cosine_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (vector, vector_sphere) IS 'is within a cosine distance';
CREATE FUNCTION "+maskgen".hnsw_vector_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_cosine_ops DEFAULT FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (vector, vector_sphere),
	FUNCTION 1 "+maskgen".hnsw_vector_cosine_kind(internal);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING maskgen_hnsw IS 'nearest vector by cosine distance';

CREATE FUNCTION "+maskgen".vector_l1_within(vector, vector_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_vector_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = vector, RIGHTARG = vector_sphere, FUNCTION = "+maskgen".vector_l1_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (vector, vector_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION "+maskgen".hnsw_vector_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_vector_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING maskgen_hnsw AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (vector, vector_sphere),
	FUNCTION 1 "+maskgen".hnsw_vector_l1_kind(internal);
COMMENT ON OPERATOR CLASS vector_l1_ops USING maskgen_hnsw IS 'nearest vector by taxicab distance';

-- halfvec

CREATE TYPE halfvec_sphere AS (center halfvec, radius float8);
COMMENT ON TYPE halfvec_sphere IS 'a halfvec and a distance: what sphere() makes, for operators such as <<=>>';
CREATE FUNCTION sphere(halfvec, float8) RETURNS halfvec_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::halfvec_sphere; END;
COMMENT ON FUNCTION sphere(halfvec, float8) IS 'all that is within a distance of a halfvec, for operators such as <<=>>';

CREATE FUNCTION "+maskgen".halfvec_l2_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = "+maskgen".halfvec_l2_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (halfvec, halfvec_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION "+maskgen".hnsw_halfvec_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (halfvec, halfvec_sphere),
	FUNCTION 1 "+maskgen".hnsw_halfvec_l2_kind(internal);
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING maskgen_hnsw IS 'nearest halfvec by Euclidean distance';

CREATE FUNCTION "+maskgen".halfvec_ip_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = "+maskgen".halfvec_ip_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (halfvec, halfvec_sphere) IS 'is within a negative inner product';
CREATE FUNCTION "+maskgen".hnsw_halfvec_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (halfvec, halfvec_sphere),
	FUNCTION 1 "+maskgen".hnsw_halfvec_ip_kind(internal);
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING maskgen_hnsw IS 'nearest halfvec by negative inner product';

CREATE FUNCTION "+maskgen".halfvec_cosine_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = "+maskgen".halfvec_cosine_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (halfvec, halfvec_sphere) IS 'is within a cosine distance';
CREATE FUNCTION "+maskgen".hnsw_halfvec_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_cosine_ops DEFAULT FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (halfvec, halfvec_sphere),
	FUNCTION 1 "+maskgen".hnsw_halfvec_cosine_kind(internal);
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING maskgen_hnsw IS 'nearest halfvec by cosine distance';

CREATE FUNCTION "+maskgen".halfvec_l1_within(halfvec, halfvec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_halfvec_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = halfvec, RIGHTARG = halfvec_sphere, FUNCTION = "+maskgen".halfvec_l1_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (halfvec, halfvec_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION "+maskgen".hnsw_halfvec_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_halfvec_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING maskgen_hnsw AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (halfvec, halfvec_sphere),
	FUNCTION 1 "+maskgen".hnsw_halfvec_l1_kind(internal);
COMMENT ON OPERATOR CLASS halfvec_l1_ops USING maskgen_hnsw IS 'nearest halfvec by taxicab distance';

-- sparsevec

CREATE TYPE sparsevec_sphere AS (center sparsevec, radius float8);
COMMENT ON TYPE sparsevec_sphere IS 'a sparsevec and a distance: what sphere() makes, for operators such as <<=>>';
CREATE FUNCTION sphere(sparsevec, float8) RETURNS sparsevec_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::sparsevec_sphere; END;
COMMENT ON FUNCTION sphere(sparsevec, float8) IS 'all that is within a distance of a sparsevec, for operators such as <<=>>';

CREATE FUNCTION "+maskgen".sparsevec_l2_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l2_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<->> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = "+maskgen".sparsevec_l2_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<->> (sparsevec, sparsevec_sphere) IS 'is within a Euclidean distance';
CREATE FUNCTION "+maskgen".hnsw_sparsevec_l2_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_l2_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_l2_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<->> (sparsevec, sparsevec_sphere),
	FUNCTION 1 "+maskgen".hnsw_sparsevec_l2_kind(internal);
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING maskgen_hnsw IS 'nearest sparsevec by Euclidean distance';

CREATE FUNCTION "+maskgen".sparsevec_ip_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_ip_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<#>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = "+maskgen".sparsevec_ip_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<#>> (sparsevec, sparsevec_sphere) IS 'is within a negative inner product';
CREATE FUNCTION "+maskgen".hnsw_sparsevec_ip_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_ip_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_ip_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<#>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 "+maskgen".hnsw_sparsevec_ip_kind(internal);
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING maskgen_hnsw IS 'nearest sparsevec by negative inner product';

CREATE FUNCTION "+maskgen".sparsevec_cosine_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_cosine_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<=>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = "+maskgen".sparsevec_cosine_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<=>> (sparsevec, sparsevec_sphere) IS 'is within a cosine distance';
CREATE FUNCTION "+maskgen".hnsw_sparsevec_cosine_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_cosine_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_cosine_ops DEFAULT FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<=>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 "+maskgen".hnsw_sparsevec_cosine_kind(internal);
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING maskgen_hnsw IS 'nearest sparsevec by cosine distance';

CREATE FUNCTION "+maskgen".sparsevec_l1_within(sparsevec, sparsevec_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_l1_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<+>> (LEFTARG = sparsevec, RIGHTARG = sparsevec_sphere, FUNCTION = "+maskgen".sparsevec_l1_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<+>> (sparsevec, sparsevec_sphere) IS 'is within a taxicab distance';
CREATE FUNCTION "+maskgen".hnsw_sparsevec_l1_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_sparsevec_l1_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS sparsevec_l1_ops FOR TYPE sparsevec USING maskgen_hnsw AS
	OPERATOR 1 <+> (sparsevec, sparsevec) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<+>> (sparsevec, sparsevec_sphere),
	FUNCTION 1 "+maskgen".hnsw_sparsevec_l1_kind(internal);
COMMENT ON OPERATOR CLASS sparsevec_l1_ops USING maskgen_hnsw IS 'nearest sparsevec by taxicab distance';

-- bit

CREATE TYPE bit_sphere AS (center "bit", radius float8);
COMMENT ON TYPE bit_sphere IS 'a bit string and a distance: what sphere() makes, for <<~>> and <<%>>';
CREATE FUNCTION sphere(bit, float8) RETURNS bit_sphere
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT ROW($1, $2)::bit_sphere; END;
COMMENT ON FUNCTION sphere(bit, float8) IS 'all that is within a distance of a bit string, for <<~>> and <<%>>';

CREATE FUNCTION "+maskgen".bit_hamming_within(bit, bit_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_bit_hamming_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<~>> (LEFTARG = bit, RIGHTARG = bit_sphere, FUNCTION = "+maskgen".bit_hamming_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<~>> (bit, bit_sphere) IS 'is within a Hamming distance';
CREATE FUNCTION "+maskgen".hnsw_bit_hamming_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_bit_hamming_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS bit_hamming_ops DEFAULT FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<~>> (bit, bit_sphere),
	FUNCTION 1 "+maskgen".hnsw_bit_hamming_kind(internal);
COMMENT ON OPERATOR CLASS bit_hamming_ops USING maskgen_hnsw IS 'nearest bit by Hamming distance';

CREATE FUNCTION "+maskgen".bit_jaccard_within(bit, bit_sphere) RETURNS boolean
AS 'MODULE_PATHNAME', 'maskgen_bit_jaccard_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR <<%>> (LEFTARG = bit, RIGHTARG = bit_sphere, FUNCTION = "+maskgen".bit_jaccard_within, RESTRICT = "+maskgen".spheresel, JOIN = contjoinsel);
COMMENT ON OPERATOR <<%>> (bit, bit_sphere) IS 'is within a Jaccard distance';
CREATE FUNCTION "+maskgen".hnsw_bit_jaccard_kind(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_hnsw_bit_jaccard_kind' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	OPERATOR 2 <<%>> (bit, bit_sphere),
	FUNCTION 1 "+maskgen".hnsw_bit_jaccard_kind(internal);
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING maskgen_hnsw IS 'nearest bit by Jaccard distance';

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

CREATE FUNCTION index_recall(index regclass, samples int DEFAULT 100, k int DEFAULT 10) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_index_recall' LANGUAGE C VOLATILE STRICT COST 100000;
COMMENT ON FUNCTION index_recall(regclass, int, int) IS 'recall: share of the true k nearest rows that an index finds, measured at rows of the table';
