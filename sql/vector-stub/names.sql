
-- What pgvector's types get beside pgvector: casts of embed()'s results, radius, classes of maskgen_hnsw.
DO $$
BEGIN
	EXECUTE pg_catalog.format('SELECT %I.link_pgvector()', (SELECT n.nspname FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
		WHERE x.extname = 'maskgen'));
END $$;
CREATE OPERATOR CLASS bit_hamming_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 "+maskgen".hnsw_bit_hamming_kind(internal);
CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING maskgen_hnsw AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY pg_catalog.float_ops,
	FUNCTION 1 "+maskgen".hnsw_bit_jaccard_kind(internal);

SELECT "+maskgen".name_access_method('hnsw', 'maskgen_hnsw_handler', current_schema()),
	"+maskgen".name_access_method('ivfflat', 'maskgen_ivfflat_handler', current_schema());
