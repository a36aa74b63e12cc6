-- Columns that stay embedded. Mode "manual" shows each step; the workers of mode "queue" do the same by themselves.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"document": "passage: ", "query": "query: "}}')) AS n \gset
-- Rows whose vector is not that of their text
CREATE FUNCTION wrong(relation regclass, source text DEFAULT 'body', model text DEFAULT 'e') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s WHERE embedding IS DISTINCT FROM embed_document(%L, (%s)::text)', relation, model, source) INTO n;
	RETURN n;
END $$;
CREATE FUNCTION pending(relation regclass, OUT pending bigint) LANGUAGE sql AS 'SELECT pending FROM maskgen_embedding_status WHERE target::regclass = relation';
-- Until workers have nothing left to do
CREATE FUNCTION wait_for(relation regclass) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 6000 LOOP
		IF EXISTS (SELECT FROM maskgen_embedding_status WHERE target::regclass = relation AND state = 'done') THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.02);
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
	RETURN false;
END $$;

-- What is refused
CREATE TABLE doc (id int PRIMARY KEY, title text, body text, note text);
CREATE TABLE keyless (body text);
CREATE TEMP TABLE fleeting (id int PRIMARY KEY, body text);
CREATE VIEW seen AS SELECT * FROM doc;
SELECT throws_ok($$SELECT embed_column('doc', 'body')$$, '22023', 'no model is named', 'no model');
SELECT throws_ok($$SELECT embed_column('doc', 'body', model => 'f')$$, '42704', NULL, 'no such model');
SELECT throws_ok($$SELECT embed_column('doc', NULL, model => 'e')$$, '22004', 'argument "source" is NULL', 'NULL');
SELECT throws_ok($$SELECT embed_column('doc', 'body', model => 'e', mode => 'later')$$, '22023', 'mode "later" does not exist', 'no such mode');
SELECT throws_ok($$SELECT embed_column('doc', '{title,text}', model => 'e')$$, '42703', 'column "text" of relation "doc" does not exist', 'no such column');
SELECT throws_ok($$SELECT embed_column('doc', 'txt', model => 'e')$$, '42703', 'column "txt" does not exist', 'nor in an expression');
SELECT throws_ok($$SELECT embed_column('doc', '{}', model => 'e')$$, '42611', NULL, 'of no column');
SELECT throws_ok($$SELECT embed_column('doc', 'body || random()', model => 'e')$$, '42611', NULL, 'of chance');
SELECT throws_ok($$SELECT embed_column('doc', $a$'x'$a$, model => 'e')$$, '42611', NULL, 'of a constant');
SELECT throws_ok($$SELECT embed_column('doc', 'doc::text', model => 'e')$$, NULL, NULL, 'of a whole row');
SELECT throws_ok($$SELECT embed_column('doc', 'body) FROM keyless AS t WHERE (true', model => 'e')$$, NULL, NULL, 'of another query');
SELECT throws_ok($$SELECT embed_column('doc', '(SELECT body)', model => 'e')$$, '42611', NULL, 'of a query within');
SELECT throws_ok($$SELECT embed_column('doc', 'title, body', model => 'e')$$, NULL, NULL, 'of a list that is none');
SELECT throws_ok($$SELECT embed_column('keyless', 'body', model => 'e')$$, '55000', 'table "keyless" has no primary key', 'no key');
SELECT throws_ok($$SELECT embed_column('fleeting', 'body', model => 'e')$$, '42809', 'table "fleeting" is temporary', 'a temporary table');
SELECT throws_ok($$SELECT embed_column('seen', 'body', model => 'e')$$, '42809', '"seen" is not a table', 'a view');
SELECT throws_ok($$SELECT embed_column('doc', 'body', 'note', 'e')$$, '42804', NULL, 'into a column of text');
SELECT throws_ok($$SELECT embed_for('doc', 'embedding', 'x')$$, '42704', NULL, 'a column that is not one');
SELECT is((SELECT count(*) FROM "+maskgen".embed_column), 0::bigint, 'nothing is left of it');

-- Rows that are there, and rows that come
INSERT INTO doc SELECT i, 'title ' || i, CASE WHEN i % 10 > 0 THEN 'body ' || i END FROM generate_series(1, 1200) i;
SELECT lives_ok($$SELECT embed_column('doc', '{title,body}', model => 'e', mode => 'manual')$$, 'a column of two');
SELECT is((SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'doc'::regclass AND attname = 'embedding'), 'vector(32)', 'a column of vectors is made');
SELECT is((SELECT count(*) FROM pg_indexes WHERE tablename = 'doc' AND indexdef LIKE '%maskgen_hnsw%'), 1::bigint, 'and an index');
SELECT throws_ok($$SELECT embed_column('doc', 'body', model => 'e')$$, '42710', 'column "embedding" of table "doc" stays embedded already', 'once');
SELECT results_eq('SELECT model, mode, state, scanned FROM maskgen_embedding_status', $$VALUES ('e', 'manual', 'working', 0::float8)$$, 'rows wait');
CALL embed_pending('doc');
SELECT is(wrong('doc', $$concat_ws(E'\n', title, body)$$), 0::bigint, 'all get their vectors');
SELECT results_eq('SELECT state, scanned, embedded, pending, failed FROM maskgen_embedding_status', $$VALUES ('done', 1::float8, 1200::bigint, 0::bigint, 0::bigint)$$, 'and that is told');
INSERT INTO doc VALUES (2001, 'new', 'one'), (2002, NULL, 'two'), (2003, NULL, NULL);
SELECT is(pending('doc'), 3::bigint, 'rows that are inserted wait');
UPDATE doc SET note = 'seen' WHERE id <= 1000;
SELECT is(pending('doc'), 3::bigint, 'an update of another column does not');
UPDATE doc SET title = title WHERE id <= 1000;
SELECT is(pending('doc'), 3::bigint, 'nor does one to the same text');
UPDATE doc SET title = 'changed' WHERE id <= 10;
SELECT is(pending('doc'), 13::bigint, 'one to another text does');
UPDATE doc SET title = NULL, body = NULL WHERE id = 11;
UPDATE doc SET title = 'first' WHERE id = 12;
UPDATE doc SET title = 'second' WHERE id = 12;
DELETE FROM doc WHERE id = 13;
UPDATE doc SET title = 'gone' WHERE id = 14;
DELETE FROM doc WHERE id = 14;
UPDATE doc SET title = 'minus', id = -id WHERE id = 15;
UPDATE doc SET id = -id WHERE id = 2001;
CALL embed_pending();
SELECT is(wrong('doc', $$CASE WHEN num_nonnulls(title, body) > 0 THEN concat_ws(E'\n', title, body) END$$), 0::bigint, 'then all have the vectors of their texts');
SELECT is(pending('doc'), 0::bigint, 'and nothing waits');
BEGIN;
INSERT INTO doc VALUES (3001, 'rolled', 'back');
ROLLBACK;
SELECT is(pending('doc'), 0::bigint, 'what is rolled back leaves nothing');
INSERT INTO doc (id, title, embedding) SELECT 3002, 'given', embedding FROM doc WHERE id = 1;
SELECT is(pending('doc'), 0::bigint, 'a vector that comes with its row is kept');
DELETE FROM doc WHERE id = 3002;
INSERT INTO doc VALUES (1, 'other', 'text') ON CONFLICT (id) DO UPDATE SET title = excluded.title;
MERGE INTO doc USING (VALUES (2, 'merged'), (4002, 'merged')) v (id, title) ON doc.id = v.id
WHEN MATCHED THEN UPDATE SET title = v.title WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id, v.title);
SELECT is(pending('doc'), 3::bigint, 'ON CONFLICT and MERGE queue what they write');
TRUNCATE doc;
CALL embed_pending();
SELECT is(pending('doc'), 0::bigint, 'after TRUNCATE there is nothing to do');

-- Queries
INSERT INTO doc SELECT i, 'cat ' || i, 'dog' FROM generate_series(1, 100) i;
CALL embed_pending('doc', 100);
SELECT is(embed_for('doc', 'embedding', 'cat 7'), embed_query('e', 'cat 7'), 'a query has the column''s model and prompt');
SELECT is(column_model('doc', 'embedding'), 'e', 'which can be asked for');
SELECT set_eq($$SELECT id FROM doc ORDER BY embedding <=> embed_for('doc', 'embedding', 'cat 7') LIMIT 5$$,
	$$SELECT id FROM doc ORDER BY embedding <=> embed_query('e', 'cat 7') LIMIT 5$$, 'and finds the same rows');

-- search: the statement that it shows is the one that it runs
SELECT results_eq($$SELECT key::int, rank_vector FROM search('doc', 'cat 7', 5)$$,
	$$SELECT id, row_number() OVER ()::int FROM (SELECT id FROM doc ORDER BY embedding <=> embed_query('e', 'cat 7'), id LIMIT 5) x$$, 'search by meaning');
SELECT is((SELECT count(*) FROM search('doc', 'cat 7', 5) WHERE rank_text IS NULL AND snippet LIKE 'cat%dog'), 5::bigint, 'without an index of words');
SELECT is((SELECT array_agg(key::int ORDER BY key::int) FROM search('doc', 'cat 7', 3, 'id > 97')), '{98,99,100}', 'with a filter');
CREATE INDEX doc_words ON doc USING gin (to_tsvector('english', title));
SELECT results_eq($$SELECT key::int, rank_text FROM search('doc', 'cats 42', 100) WHERE rank_text = 1$$, 'VALUES (42, 1)', 'words are looked for in their index, by its parser');
SELECT is((SELECT count(*) FROM search('doc', 'cats 42', 10, hybrid => false) WHERE rank_text IS NOT NULL), 0::bigint, 'or not');
SELECT search_sql('doc', 'it''s 42', 7, 'id <> 1') AS statement \gset
CREATE TEMP TABLE adapted AS :statement;
SELECT set_eq('SELECT * FROM adapted', $$SELECT * FROM search('doc', 'it''s 42', 7, 'id <> 1')$$, 'search_sql shows it');
SELECT throws_ok($$SELECT * FROM search('doc', 'x', 0)$$, '22023', 'top_k 0 is not between 1 and 10000', 'no rows');
SELECT throws_ok($$SELECT * FROM search('doc', 'x', 1, 'true) LIMIT 0; DROP TABLE doc; --')$$, NULL, NULL, 'a filter is one condition');
SELECT throws_ok($$SELECT * FROM search('doc', 'x', rerank_model => 'e')$$, NULL, NULL, 'a model that does not rerank says so');
SELECT is((SELECT count(*) FROM search('doc', NULL)), 0::bigint, 'NULL finds nothing');
SELECT is(round(rrf(1, NULL, 3)::numeric, 4), round(1/61.0 + 1/63.0, 4), 'ranks of which some are missing');

-- An expression
CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper($1) || '!';
CREATE TABLE expr (a int, b date, body varchar(50), k1 text, "+s" text, PRIMARY KEY (a, b));
INSERT INTO expr SELECT i, '2026-01-01'::date + i, 'row ' || i FROM generate_series(1, 30) i;
SET datestyle = 'German';
SELECT lives_ok($$SELECT embed_column('expr', 'shout(body::text) || k1', model => 'e', mode => 'manual', index => false)$$, 'an expression with a function');
UPDATE expr SET k1 = 'k' WHERE a > 10;
RESET datestyle;
SET search_path = maskgen, public;
CALL embed_pending('expr');
SELECT is(wrong('expr', 'public.shout(body) || k1'), 0::bigint, 'is found whatever the search_path, and keys whatever the DateStyle');
SELECT is((SELECT count(embedding) FROM expr), 20::bigint, 'where it gives a text');
SET search_path = public, maskgen;
SELECT throws_ok($$SELECT embed_column('expr', 'embedding::text', model => 'e')$$, NULL, NULL, 'vectors of vectors');
SELECT lives_ok($$SELECT embed_column('expr', 'body', 'second', 'e', 'manual', false)$$, 'a second column of the table');
CALL embed_pending('expr');
SELECT is((SELECT count(*) FROM expr WHERE second IS DISTINCT FROM embed_document('e', body)), 0::bigint, 'has its own');

-- Rows that fail, and others that do not
CREATE TABLE picky (id int PRIMARY KEY, body text, divisor int DEFAULT 1, CHECK (body <> 'reject' OR note IS NULL), note text);
CREATE FUNCTION ratio(text, int) RETURNS text IMMUTABLE LANGUAGE sql RETURN $1 || (100 / $2);
INSERT INTO picky SELECT i, 'row ' || i, CASE WHEN i = 77 THEN 0 ELSE 1 END FROM generate_series(1, 600) i;
SELECT lives_ok($$SELECT embed_column('picky', 'ratio(body, divisor)', model => 'e', mode => 'manual', index => false)$$, 'an expression that fails for a row');
SELECT pause_embed_column('picky');
SELECT is((SELECT state FROM maskgen_embedding_status WHERE target = 'picky'), 'paused', 'a pause');
SELECT resume_embed_column('picky');
SELECT drop_embed_column('picky', drop_column => true);
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 'picky'::regclass AND attname = 'embedding' AND NOT attisdropped), 0::bigint, 'a column can go with its triggers');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'picky'::regclass AND NOT tgisinternal), 0::bigint, 'which are gone');
SELECT lives_ok($$SELECT embed_column('picky', 'ratio(body, divisor)', model => 'e', index => false)$$, 'the same by a worker');
SELECT ok(wait_for('picky'), 'which comes to an end');
SELECT results_eq($$SELECT key, error FROM embed_failures('picky')$$, $$VALUES ('{77}'::text[], 'division by zero')$$, 'one row has failed, and says why');
SELECT is((SELECT count(embedding) FROM picky), 599::bigint, 'and none of the others');
UPDATE picky SET divisor = 2 WHERE id = 77;
SELECT ok(wait_for('picky'), 'mended');
SELECT is((SELECT count(*) FROM embed_failures('picky')), 0::bigint, 'it has not failed any more');
SELECT is(wrong('picky', 'ratio(body, divisor)'), 0::bigint, 'all are right');

-- Workers
CREATE TABLE queued (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text, n int);
SELECT lives_ok($$SELECT embed_column('queued', 'body', model => 'e')$$, 'a queue');
INSERT INTO queued (body, n) SELECT 'text ' || i, i FROM generate_series(1, 1500) i;
SELECT ok(wait_for('queued'), 'is emptied by a worker');
SELECT is(wrong('queued'), 0::bigint, 'rightly');
UPDATE queued SET body = 'other ' || n WHERE n % 3 = 0;
SELECT ok(wait_for('queued'), 'after an update too');
SELECT is(wrong('queued'), 0::bigint, 'rightly');

-- Partitions
CREATE TABLE part (id int, body text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (100);
INSERT INTO part SELECT i, 'in ' || i FROM generate_series(1, 50) i;
SELECT lives_ok($$SELECT embed_column('part', 'body', model => 'e', mode => 'manual')$$, 'a partitioned table');
CALL embed_pending('part');
CREATE TABLE part2 (embedding vector(32), body text, id int PRIMARY KEY);
INSERT INTO part2 (id, body) SELECT i, 'in ' || i FROM generate_series(101, 150) i;
ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (100) TO (200);
INSERT INTO part2 (id, body) VALUES (160, 'direct');
UPDATE part SET id = id + 130 WHERE id = 40;
UPDATE part SET id = 199, body = 'moved' WHERE id = 41;
CALL embed_pending('part');
SELECT is(wrong('part'), 50::bigint, 'rows of both partitions but those that were attached');
SELECT is(retry_failed('part'), 0::bigint, 'those are looked for');
CALL embed_pending('part');
SELECT is(wrong('part'), 0::bigint, 'and embedded');

-- In the statement itself
CREATE TABLE at_once (id int PRIMARY KEY, title text, body text);
INSERT INTO at_once VALUES (1, 'was', 'there');
SELECT lives_ok($$SELECT embed_column('at_once', '{title,body}', model => 'e', mode => 'sync')$$, 'mode sync');
INSERT INTO at_once VALUES (2, 'is', 'new');
SELECT is((SELECT embedding FROM at_once WHERE id = 2), embed_document('e', E'is\nnew'), 'embeds before the statement ends');
SELECT ok(wait_for('at_once'), 'and what was there soon');
SELECT is(wrong('at_once', $$concat_ws(E'\n', title, body)$$), 0::bigint, 'rightly');

-- Another model, online
SELECT length(create_model('f', :'dir' || '/golden/tiny/bert-embed-cls')) AS n \gset
CREATE ROLE embed_column_reader;
COMMENT ON COLUMN doc.embedding IS 'vectors';
GRANT SELECT (embedding) ON doc TO embed_column_reader;
CREATE VIEW needs AS SELECT embedding FROM doc;
SELECT throws_ok($$CALL reembed('doc', 'embedding', 'f')$$, NULL, NULL, 'a change is no part of a transaction');
\set VERBOSITY terse
\set ON_ERROR_STOP off
CALL reembed('doc', 'embedding', 'f');
SELECT is(:'SQLSTATE'::text, '2BP01', 'a view that needs the column is told of');
DROP VIEW needs;
CALL reembed('doc', 'nothing', 'f');
SELECT is(:'SQLSTATE'::text, '42704', 'so is another column');
CALL reembed('doc', 'embedding', 'g');
SELECT is(:'SQLSTATE'::text, '42704', 'and a model that is not there');
SELECT is((SELECT count(*) FROM maskgen_embedding_status WHERE target = 'doc'), 1::bigint, 'nothing has begun');
INSERT INTO doc VALUES (901, 'waits', 'for it');
CALL reembed('doc', 'embedding', 'f');
SELECT is(:'SQLSTATE'::text, '00000', 'a change of the model');
SELECT is(wrong('doc', $$concat_ws(E'\n', title, body)$$, 'f'), 0::bigint, 'all rows have its vectors');
SELECT is(column_model('doc', 'embedding'), 'f', 'queries have it');
SELECT is((SELECT count(*) FROM maskgen_embedding_status WHERE target = 'doc'), 1::bigint, 'there is one column');
SELECT is((SELECT array_agg(indexname::text ORDER BY indexname) FROM pg_indexes WHERE tablename = 'doc'), '{doc_embedding_idx,doc_pkey,doc_words}', 'with the index of that name');
SELECT ok(has_column_privilege('embed_column_reader', 'doc', 'embedding', 'SELECT'), 'its grants');
SELECT is(col_description('doc'::regclass, (SELECT attnum FROM pg_attribute WHERE attrelid = 'doc'::regclass AND attname = 'embedding')), 'vectors', 'and its comment');
INSERT INTO doc VALUES (902, 'after', 'it');
SELECT is(pending('doc'), 1::bigint, 'rows are queued as before');
CALL embed_pending('doc');
SELECT is(wrong('doc', $$concat_ws(E'\n', title, body)$$, 'f'), 0::bigint, 'for the new model');
CALL reembed('at_once', 'embedding', 'f');
INSERT INTO at_once VALUES (3, 'sync', 'too');
SELECT is(wrong('at_once', $$concat_ws(E'\n', title, body)$$, 'f'), 0::bigint, 'a column of mode sync');
CALL reembed('part', 'embedding', 'f');
SELECT is(wrong('part', 'body', 'f'), 0::bigint, 'of a partitioned table');

-- Another model under the same name is not mixed with the first
SELECT drop_model('f', cascade => true);
SELECT length(create_model('f', :'dir' || '/golden/tiny/bert-embed-mean')) AS n \gset
SELECT throws_ok($$SELECT embed_for('doc', 'embedding', 'x')$$, '55000', 'model "f" is not the one that column "embedding" was embedded with', 'a query is refused');
UPDATE doc SET title = 'again' WHERE id = 1;
CALL embed_pending('doc');
SELECT is(:'SQLSTATE'::text, '55000', 'so are rows');
SELECT is(pending('doc'), 1::bigint, 'which wait');
CALL reembed('doc', 'embedding', 'f');
SELECT is(wrong('doc', $$concat_ws(E'\n', title, body)$$, 'f'), 0::bigint, 'until they are embedded by what is there now');

-- Rights
CREATE TABLE owned (id int PRIMARY KEY, body text);
INSERT INTO owned SELECT i, 'row ' || i FROM generate_series(1, 10) i;
CREATE ROLE embed_column_owner;
CREATE ROLE embed_column_writer;
ALTER TABLE owned OWNER TO embed_column_owner;
GRANT INSERT, UPDATE, SELECT ON owned TO embed_column_writer;
GRANT USAGE ON SCHEMA maskgen TO embed_column_owner, embed_column_writer;
GRANT CREATE ON SCHEMA public TO embed_column_owner;
SET ROLE embed_column_writer;
SELECT throws_ok($$SELECT embed_column('owned', 'body', model => 'e')$$, '42501', 'must be owner of table owned', 'only a table''s owner makes its columns');
RESET ROLE;
SET ROLE embed_column_owner;
SELECT throws_ok($$SELECT embed_column('owned', 'body', model => 'e')$$, '42501', NULL, 'who must be allowed to use the model');
RESET ROLE;
SELECT grant_model('e', 'embed_column_owner');
SET ROLE embed_column_owner;
SELECT lives_ok($$SELECT embed_column('owned', 'body', model => 'e', mode => 'manual', index => false)$$, 'then it may');
-- What the owner has put there runs as the owner
CREATE FUNCTION note_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO users_seen VALUES (current_user, session_user);
	RETURN NEW;
END $$;
CREATE TABLE users_seen (u name, s name);
GRANT INSERT ON users_seen TO embed_column_writer;
CREATE TRIGGER note BEFORE UPDATE ON owned FOR EACH ROW EXECUTE FUNCTION public.note_user();
RESET ROLE;
ALTER FUNCTION note_user() SET search_path = public;
SET ROLE embed_column_writer;
INSERT INTO owned VALUES (11, 'by a writer');
SELECT throws_ok($$SELECT drop_embed_column('owned')$$, '42501', NULL, 'a writer does not drop it');
SELECT throws_ok($$SELECT pause_embed_column('owned')$$, '42501', NULL, 'nor stop it');
SELECT throws_ok($$SELECT * FROM embed_failures('owned')$$, '42501', NULL, 'nor see keys of rows');
CALL embed_pending('owned');
SELECT is(:'SQLSTATE'::text, '42501', 'nor run it');
SELECT is((SELECT count(*) FROM maskgen_embedding_status WHERE target = 'owned'), 1::bigint, 'but sees how far it is');
SELECT is((SELECT count(*) FROM maskgen_embedding_status), 1::bigint, 'of tables that it may read');
SELECT throws_ok($$INSERT INTO "+maskgen".embed_queue (column_id, key) VALUES (1, '{1}')$$, '42501', NULL, 'the queue is not for anybody');
RESET ROLE;
CALL embed_pending('owned');
SELECT is(wrong('owned'), 0::bigint, 'a superuser runs it');
SELECT results_eq('SELECT DISTINCT u FROM users_seen', $$VALUES ('embed_column_owner'::name)$$, 'as the owner');
-- A definition counts when the owner has made it: somebody with TRIGGER alone cannot
GRANT TRIGGER ON owned TO embed_column_writer;
SELECT id AS owned_id FROM "+maskgen".embed_column WHERE target = 'owned'::regclass \gset
SET ROLE embed_column_writer;
CREATE TRIGGER aaa AFTER INSERT ON owned FOR EACH ROW EXECUTE FUNCTION embed_row_trigger(:owned_id, 'embedding', 'pg_read_file(body)', 'e', 'x', 'manual');
RESET ROLE;
UPDATE owned SET body = 'x' WHERE id = 1;
CALL embed_pending('owned');
SELECT is(wrong('owned'), 0::bigint, 'another definition is not believed');

-- A table whose state is not here
DELETE FROM "+maskgen".embed_column WHERE target = 'owned'::regclass;
DROP TRIGGER aaa ON owned;
ALTER TABLE owned RENAME CONSTRAINT owned_pkey TO owned_key;
SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgrelid = 'owned'::regclass AND tgname = 'embedding_stays_embedded_insert' \gset
DROP TRIGGER embedding_stays_embedded_insert ON owned;
:definition;
SELECT throws_ok($$INSERT INTO owned VALUES (12, 'x')$$, '55000', 'embedded column "embedding" of table "owned" is not known to this database', 'a table that came alone says so');
SELECT lives_ok($$SELECT embed_column('owned', 'body', model => 'e', mode => 'manual', index => false)$$, 'and is mended by the call that made it');
INSERT INTO owned VALUES (12, 'x');
CALL embed_pending('owned');
SELECT is(wrong('owned'), 0::bigint, 'as before');

-- What is dropped is forgotten
DROP TABLE owned;
CALL embed_pending();
SELECT is((SELECT count(*) FROM "+maskgen".embed_column c WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = c.target)), 0::bigint, 'a table that was dropped');
SELECT is((SELECT count(*) FROM "+maskgen".embed_batch), 0::bigint, 'nobody has claims');
DROP OWNED BY embed_column_owner, embed_column_writer, embed_column_reader;
DROP ROLE embed_column_owner, embed_column_writer, embed_column_reader;
SELECT * FROM finish();
