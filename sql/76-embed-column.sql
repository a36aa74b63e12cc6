-- Columns that stay embedded: a queue, filled by triggers in the transaction of who writes, emptied by background workers.

CREATE SEQUENCE "+maskgen".embed_column_id_seq AS int;

-- How far the work is on each; what a column is stands in the arguments of its table's triggers.
CREATE TABLE "+maskgen".embed_column (
	id int PRIMARY KEY DEFAULT pg_catalog.nextval('"+maskgen".embed_column_id_seq'),
	target regclass NOT NULL,
	destination name NOT NULL,
	paused boolean NOT NULL DEFAULT false,
	scan_done boolean NOT NULL DEFAULT false,      -- rows that were there before: all of them have been looked at
	scan_table oid NOT NULL DEFAULT 0,             -- else the table or partition at hand,
	scan_file oid NOT NULL DEFAULT 0,              -- its file,
	scan_block bigint NOT NULL DEFAULT 0,          -- and the next block of it
	n_embedded bigint NOT NULL DEFAULT 0,
	rate float8 NOT NULL DEFAULT 0,                -- rows a second of one worker, of late
	n_errors int NOT NULL DEFAULT 0,               -- of the work as a whole, one after the other
	error text,
	retry_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	served_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

CREATE SEQUENCE "+maskgen".embed_queue_id_seq CACHE 32;
CREATE TABLE "+maskgen".embed_queue (
	column_id int NOT NULL,
	id bigint NOT NULL DEFAULT pg_catalog.nextval('"+maskgen".embed_queue_id_seq'),
	key text[] NOT NULL,                           -- primary key of the row, as text
	queued_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	not_before timestamptz NOT NULL DEFAULT pg_catalog.now(),
	attempts int NOT NULL DEFAULT 0,
	PRIMARY KEY (column_id, id)
);

-- Rows that were tried often enough, or are refused by the model.
CREATE TABLE "+maskgen".embed_failure (
	column_id int NOT NULL,
	key text[] NOT NULL,
	error text NOT NULL,
	failed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (column_id, key)
);

-- Entries that somebody is computing. A row without its process is what a crash leaves.
CREATE SEQUENCE "+maskgen".embed_batch_id_seq;
CREATE TABLE "+maskgen".embed_batch (
	id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('"+maskgen".embed_batch_id_seq'),
	column_id int NOT NULL,
	entries bigint[] NOT NULL,
	server timestamptz NOT NULL                    -- when the server's shared memory was made
);

SELECT pg_catalog.pg_extension_config_dump('"+maskgen".embed_column_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".embed_column', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".embed_queue_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".embed_queue', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".embed_failure', '');

GRANT SELECT, INSERT ON "+maskgen".embed_column, "+maskgen".embed_queue, "+maskgen".embed_failure TO pg_database_owner;
GRANT SELECT, UPDATE ON SEQUENCE "+maskgen".embed_column_id_seq, "+maskgen".embed_queue_id_seq TO pg_database_owner;

-- A restore's COPY is work for a worker.
CREATE FUNCTION "+maskgen".embed_restored() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_embed_restored' LANGUAGE C;
CREATE TRIGGER restored AFTER INSERT ON "+maskgen".embed_column FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".embed_restored();
CREATE TRIGGER restored AFTER INSERT ON "+maskgen".embed_queue FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".embed_restored();

CREATE FUNCTION embed_row_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_embed_row_trigger' LANGUAGE C;
COMMENT ON FUNCTION embed_row_trigger() IS 'trigger: queues a row to be embedded; embed_column makes it';

CREATE FUNCTION embed_column(target regclass, source text, destination name DEFAULT 'embedding', model text DEFAULT NULL, mode text DEFAULT 'queue',
	index boolean DEFAULT true) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_embed_column' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION embed_column(regclass, text, name, text, text, boolean) IS
'keep a column of vectors of a column of text, of several as ''{title,body}'', or of an expression: rows that are there, and all that is written later';

CREATE FUNCTION drop_embed_column(target regclass, destination name DEFAULT 'embedding', drop_column boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_embed_column' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_embed_column(regclass, name, boolean) IS 'end what embed_column began; the vectors stay, unless the column is dropped as well';

CREATE FUNCTION pause_embed_column(target regclass, destination name DEFAULT 'embedding') RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_pause_embed_column' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pause_embed_column(regclass, name) IS 'leave queued rows to wait; what is written is still queued';

CREATE FUNCTION resume_embed_column(target regclass, destination name DEFAULT 'embedding') RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_resume_embed_column' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION resume_embed_column(regclass, name) IS 'end a pause, or a wait after an error';

CREATE FUNCTION retry_failed(target regclass, destination name DEFAULT 'embedding') RETURNS bigint
AS 'MODULE_PATHNAME', 'maskgen_retry_failed' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION retry_failed(regclass, name) IS
'queue the rows again that have failed, and look for rows without a vector, those of partitions attached since for example; returns how many had failed';

CREATE PROCEDURE embed_pending(target regclass DEFAULT NULL, most_rows bigint DEFAULT NULL)
AS 'MODULE_PATHNAME', 'maskgen_embed_pending' LANGUAGE C;
COMMENT ON PROCEDURE embed_pending(regclass, bigint) IS 'embed in this session what is queued, of one table or of all that the caller owns, with a commit after each batch';

CREATE FUNCTION column_model(target regclass, destination name) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_column_model' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION column_model(regclass, name) IS 'model of a column that stays embedded';

CREATE FUNCTION embed_for(target regclass, destination name, input text) RETURNS vector
LANGUAGE sql STABLE PARALLEL SAFE RETURN maskgen.embed_query(maskgen.column_model(target, destination), input);
COMMENT ON FUNCTION embed_for(regclass, name, text) IS 'vector of a search query, by the model of the column that it is compared with';

CREATE FUNCTION embed_failures(target regclass, destination name DEFAULT 'embedding', OUT key text[], OUT error text, OUT failed_at timestamptz) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_embed_failures' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION embed_failures(regclass, name) IS 'rows that could not be embedded, by primary key, and why; for the table''s owner';

CREATE FUNCTION "+maskgen".column_definition(id int, target regclass, OUT model text, OUT mode text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_column_definition' LANGUAGE C STRICT STABLE PARALLEL RESTRICTED ROWS 1;
COMMENT ON FUNCTION "+maskgen".column_definition(int, regclass) IS 'what a table''s triggers say of a column; read maskgen.maskgen_embedding_status instead';

CREATE FUNCTION "+maskgen".scan_progress(target regclass, part oid, block bigint) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_scan_progress' LANGUAGE C STRICT STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION "+maskgen".scan_progress(regclass, oid, bigint) IS 'part of a table before a block; read maskgen.maskgen_embedding_status instead';

CREATE VIEW maskgen_embedding_status AS
SELECT c.target::pg_catalog.text AS target, c.destination, d.model, d.mode, CASE WHEN c.paused THEN 'paused' WHEN c.error IS NOT NULL THEN 'waiting'
		WHEN NOT c.scan_done OR q.n OPERATOR(pg_catalog.>) 0 THEN 'working' ELSE 'done' END AS state,
	CASE WHEN c.scan_done THEN 1 ELSE "+maskgen".scan_progress(c.target, c.scan_table, c.scan_block) END AS scanned,
	c.n_embedded AS embedded, q.n AS pending, f.n AS failed, q.oldest AS oldest_pending, c.rate AS rows_per_second,
	CASE WHEN c.scan_done AND c.rate OPERATOR(pg_catalog.>) 0 THEN pg_catalog.make_interval(secs => q.n OPERATOR(pg_catalog./) c.rate) END AS time_left,
	c.error AS last_error, c.retry_at AS next_try
FROM "+maskgen".embed_column c
	CROSS JOIN LATERAL "+maskgen".column_definition(c.id, c.target) d
	CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS n, pg_catalog.min(queued_at) AS oldest FROM "+maskgen".embed_queue q WHERE q.column_id OPERATOR(pg_catalog.=) c.id) q
	CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS n FROM "+maskgen".embed_failure f WHERE f.column_id OPERATOR(pg_catalog.=) c.id) f
WHERE pg_catalog.has_table_privilege(c.target, 'SELECT');
COMMENT ON VIEW maskgen_embedding_status IS 'columns that stay embedded, and how far the work on them is; of tables that one may read';
GRANT SELECT ON maskgen_embedding_status TO PUBLIC;

COMMENT ON COLUMN maskgen_embedding_status.target IS 'table';
COMMENT ON COLUMN maskgen_embedding_status.destination IS 'its column of vectors';
COMMENT ON COLUMN maskgen_embedding_status.model IS 'model that the vectors are of';
COMMENT ON COLUMN maskgen_embedding_status.mode IS 'queue: embedded soon after the commit; sync: before it; manual: by embed_pending';
COMMENT ON COLUMN maskgen_embedding_status.state IS 'done, working, waiting (after an error of all rows), or paused';
COMMENT ON COLUMN maskgen_embedding_status.scanned IS 'part of the rows that were there before which has been looked at';
COMMENT ON COLUMN maskgen_embedding_status.embedded IS 'rows embedded since embed_column, a row each time that its text changed';
COMMENT ON COLUMN maskgen_embedding_status.pending IS 'entries in the queue; a row may have several';
COMMENT ON COLUMN maskgen_embedding_status.failed IS 'rows that could not be embedded, see embed_failures';
COMMENT ON COLUMN maskgen_embedding_status.oldest_pending IS 'when the oldest entry was queued';
COMMENT ON COLUMN maskgen_embedding_status.rows_per_second IS 'of one worker, of late';
COMMENT ON COLUMN maskgen_embedding_status.time_left IS 'for what is queued, at that rate';
COMMENT ON COLUMN maskgen_embedding_status.last_error IS 'why all of the column waits';
COMMENT ON COLUMN maskgen_embedding_status.next_try IS 'and until when';

CREATE PROCEDURE reembed(target regclass, destination name, model text)
AS 'MODULE_PATHNAME', 'maskgen_reembed' LANGUAGE C;
COMMENT ON PROCEDURE reembed(regclass, name, text) IS
'embed a column anew by another model while it is read and written, and put it in place at once; called again it goes on where it was interrupted';

CREATE FUNCTION search(target regclass, query text, top_k int DEFAULT 10, filter text DEFAULT NULL, hybrid boolean DEFAULT true, rerank_model text DEFAULT NULL,
	destination name DEFAULT 'embedding', OUT key text, OUT score real, OUT distance real, OUT rank_text int, OUT rank_vector int, OUT snippet text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_search' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 1000000;
COMMENT ON FUNCTION search(regclass, text, int, text, boolean, text, name) IS
'rows of a column that stays embedded by meaning, and by words where the table has a GIN index of a tsvector; filter is a condition in SQL, not for text of strangers';

CREATE FUNCTION search_sql(target regclass, query text, top_k int DEFAULT 10, filter text DEFAULT NULL, hybrid boolean DEFAULT true, rerank_model text DEFAULT NULL,
	destination name DEFAULT 'embedding') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_search_sql' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION search_sql(regclass, text, int, text, boolean, text, name) IS 'the statement that search runs, to be adapted';

CREATE FUNCTION rrf(VARIADIC ranks bigint[]) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (SELECT coalesce(pg_catalog.sum(1.0 / (60 + r)), 0) FROM pg_catalog.unnest(ranks) r);
COMMENT ON FUNCTION rrf(bigint[]) IS 'reciprocal rank fusion of a row''s ranks in several lists: the sum of 1 / (60 + rank); NULL where a list does not have it';
