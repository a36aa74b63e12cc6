
-- What pgvector's types get beside pgvector: casts of embed()'s results, radius, classes of maskgen_hnsw.
SELECT maskgen.link_pgvector();
CREATE OPERATOR CLASS bit_hamming_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 "+maskgen".hnsw_bit_hamming_kind(internal);
CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 "+maskgen".hnsw_bit_jaccard_kind(internal);

SELECT "+maskgen".name_access_method('hnsw', 'maskgen_hnsw_handler', current_schema()),
	"+maskgen".name_access_method('ivfflat', 'maskgen_ivfflat_handler', current_schema());
