-- What a scan of an index did.

CREATE FUNCTION last_index_scan(OUT index regclass, OUT ways text[], OUT searches bigint, OUT entries_by_links bigint, OUT entries_by_pass bigint,
	OUT rows_in_lists bigint, OUT dropped_in_index bigint, OUT rows_fetched bigint, OUT dropped_by_filter bigint, OUT rows_ranked bigint)
AS 'MODULE_PATHNAME', 'maskgen_last_index_scan' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION last_index_scan() IS 'which ways the last scan of a maskgen_hnsw index in this session went, and how much it read';
