-- Triggers after a statement that embed its rows together.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"document": "passage: ", "query": "trigger test"}}')) AS n \gset
-- Rows that the model was asked for, or took from a cache, since the last time; and in how many calls.
CREATE TABLE seen AS SELECT 0::bigint AS rows, 0::bigint AS calls;
CREATE FUNCTION asked(OUT rows bigint, OUT calls bigint) LANGUAGE plpgsql AS $$
BEGIN
	SELECT s.rows - seen.rows, s.calls - seen.calls INTO rows, calls FROM maskgen.maskgen_stat_models s, public.seen WHERE name = 'e';
	UPDATE seen SET (rows, calls) = (SELECT s.rows, s.calls FROM maskgen.maskgen_stat_models s WHERE name = 'e');
END $$;
-- Rows without the vector of their text, or with another one
CREATE FUNCTION wrong(relation regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s WHERE embedding IS DISTINCT FROM maskgen.embed_document(''e'', body)', relation) INTO n;
	PERFORM asked();
	RETURN n;
END $$;

CREATE TABLE doc (id int PRIMARY KEY, body text, embedding vector(32), note text);
SELECT throws_ok(format('SELECT create_embed_trigger(%s)', args), '22004', 'argument "' || name || '" is NULL', name || ' that is NULL')
FROM (VALUES ($$NULL, 'e', 'body', 'embedding'$$, 'table_name'), ($$'doc', NULL, 'body', 'embedding'$$, 'model'), ($$'doc', 'e', VARIADIC NULL$$, 'columns')) a (args, name);
SELECT throws_ok($$SELECT drop_embed_trigger('doc', NULL)$$, '22004', 'argument "target" is NULL', 'to be dropped as well');
SELECT create_embed_trigger('doc', 'e', 'body', 'embedding');
SELECT is((SELECT array_agg(tgname ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'doc'::regclass), '{embedding_embed_insert,embedding_embed_update}',
	'two triggers');
SELECT count(*) >= 0 AS reset FROM asked() \gset

-- Inserting
COPY doc (id, body) FROM PROGRAM $$seq 1 1300 | sed 's/.*/&\ttext number &/'$$;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (1300::bigint, 3::bigint)', 'COPY embeds its rows in batches');
SELECT is(wrong('doc'), 0::bigint, 'as embed_document does');
INSERT INTO doc (id, body) VALUES (2001, 'one'), (2002, NULL), (2003, ''), (2004, 'one');
SELECT results_eq('SELECT * FROM asked()', 'VALUES (3::bigint, 1::bigint)', 'so does INSERT of many rows');
SELECT is(wrong('doc'), 0::bigint, 'a NULL stays one');
INSERT INTO doc (id, body) SELECT 3000 + i, 'selected ' || i FROM generate_series(1, 5) i;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (5::bigint, 1::bigint)', 'and INSERT ... SELECT');
INSERT INTO doc (id, body) SELECT 1, 'none' WHERE false;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'no row, no call');
INSERT INTO doc (id, body, embedding) SELECT 4000, 'given', embedding FROM doc WHERE id = 1;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'a vector that comes with the row is kept');
SELECT is((SELECT embedding FROM doc WHERE id = 4000), (SELECT embedding FROM doc WHERE id = 1), 'as it is');
DELETE FROM doc WHERE id = 4000;

-- Updating
UPDATE doc SET note = 'seen';
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'an update of other columns computes nothing');
UPDATE doc SET body = body, note = 'again';
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'nor does one to the same text');
UPDATE doc SET body = body || CASE WHEN id % 100 = 0 THEN '!' ELSE '' END;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (13::bigint, 1::bigint)', 'changed texts are embedded, the others not');
SELECT is(wrong('doc'), 0::bigint, 'rightly');
UPDATE doc SET body = CASE id WHEN 1 THEN NULL ELSE 'now a text' END WHERE id IN (1, 2002);
SELECT results_eq('SELECT * FROM asked()', 'VALUES (1::bigint, 1::bigint)', 'to NULL and from NULL');
SELECT is(wrong('doc'), 0::bigint, 'a vector goes with its text');
UPDATE doc SET id = -id, body = 'minus ' || body WHERE id BETWEEN 10 AND 20;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (11::bigint, 1::bigint)', 'with a new key');
UPDATE doc SET id = -id WHERE id < 0;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'a new key alone computes nothing');
SELECT is(wrong('doc'), 0::bigint, 'and loses nothing');
UPDATE doc SET embedding = NULL WHERE id BETWEEN 2 AND 8;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (7::bigint, 1::bigint)', 'a vector set to NULL is computed again');
SELECT is(wrong('doc'), 0::bigint, 'rightly, too');
UPDATE doc SET body = 'other', embedding = (SELECT embedding FROM doc WHERE id = 2003) WHERE id = 2;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (0::bigint, 0::bigint)', 'a vector that the statement sets is kept');
SELECT is((SELECT embedding FROM doc WHERE id = 2), (SELECT embedding FROM doc WHERE id = 2003), 'that one');
UPDATE doc SET embedding = NULL WHERE id = 2;
INSERT INTO doc (id, body) VALUES (3, 'upserted'), (5000, 'inserted') ON CONFLICT (id) DO UPDATE SET body = excluded.body;
SELECT is(wrong('doc'), 0::bigint, 'ON CONFLICT DO UPDATE');
MERGE INTO doc USING (VALUES (4, 'merged'), (5001, 'new')) AS n (id, body) ON doc.id = n.id
WHEN MATCHED THEN UPDATE SET body = n.body WHEN NOT MATCHED THEN INSERT (id, body) VALUES (n.id, n.body);
SELECT is(wrong('doc'), 0::bigint, 'MERGE');

-- Errors leave nothing behind
SELECT throws_ok($$INSERT INTO doc (id, body) SELECT 6000 + i, CASE WHEN i < 600 THEN 'fine' ELSE repeat('long ', 400) END FROM generate_series(1, 600) i,
	LATERAL set_config('maskgen.long_input', 'error', true)$$, '54000', NULL, 'a text that the model refuses');
SELECT is(count(*), 0::bigint, 'no row of that statement') FROM doc WHERE id > 6000;
SET maskgen.long_input = truncate;
INSERT INTO doc (id, body) VALUES (6001, 'after an error');
SELECT is(wrong('doc'), 0::bigint, 'the next statement is fine');
CREATE TABLE narrow (id int PRIMARY KEY, body text, embedding vector(31));
SELECT throws_ok($$SELECT create_embed_trigger('narrow', 'e', 'body', 'embedding')$$, '42804', 'column "embedding" has 31 dimensions, but model "e" makes vectors of 32',
	'a column of another width is refused');
ALTER TABLE narrow ALTER embedding TYPE vector;
SELECT create_embed_trigger('narrow', 'e', 'body', 'embedding');
ALTER TABLE narrow ALTER embedding TYPE vector(31);
SELECT throws_ok($$INSERT INTO narrow VALUES (1, 'x')$$, '22000', 'expected 31 dimensions, not 32', 'one that became one afterwards, too');

-- Names, keys, several columns
CREATE SCHEMA "Odd schema";
CREATE DOMAIN "Odd schema".code AS text COLLATE "C";
CREATE TABLE "Odd schema"."Odd ""table" ("key ""1" "Odd schema".code, k2 timestamptz, "T'1" varchar(100), "T 2" text, "V ""1" vector, k3 int4range,
	PRIMARY KEY ("key ""1", k2, k3));
SELECT create_embed_trigger('"Odd schema"."Odd ""table"', 'e', 'T''1', 'T 2', 'V "1');
INSERT INTO "Odd schema"."Odd ""table" SELECT 'k' || i % 2, to_timestamp(i), nullif('title ' || i, 'title 3'), nullif('body', CASE i % 3 WHEN 0 THEN 'body' END),
	NULL, int4range(i, NULL) FROM generate_series(1, 6) i;
UPDATE "Odd schema"."Odd ""table" SET "T 2" = 'changed' WHERE lower(k3) = 2;
SELECT is(count(*), 6::bigint, 'quoted names, a key of three columns, two columns of text') FROM "Odd schema"."Odd ""table"
WHERE "V ""1" IS NOT DISTINCT FROM embed_document('e', nullif(concat_ws(E'\n', "T'1", "T 2"), ''));
SELECT is(count(*), 1::bigint, 'one has none of it') FROM "Odd schema"."Odd ""table" WHERE "V ""1" IS NULL;

-- Two vectors in a table; a temporary table; both triggers at work together
CREATE TEMP TABLE two (id int PRIMARY KEY, title text, body text, title_embedding vector, embedding vector);
SELECT create_embed_trigger('two', 'e', 'title', 'title_embedding');
SELECT create_embed_trigger('two', 'e', 'body', 'embedding');
SELECT count(*) >= 0 AS reset FROM asked() \gset
INSERT INTO two VALUES (1, 'title 1', 'body 1'), (2, 'title 2', 'body 2');
SELECT results_eq('SELECT * FROM asked()', 'VALUES (4::bigint, 2::bigint)', 'two vectors in a table are computed once each');
UPDATE two SET title = 'new ' || title;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (2::bigint, 1::bigint)', 'and apart');
SELECT is(count(*), 2::bigint, 'rightly') FROM two WHERE title_embedding = embed_document('e', title) AND embedding = embed_document('e', body);

CREATE TABLE half (id int PRIMARY KEY, body text, embedding halfvec(32));
SELECT create_embed_trigger('half', 'e', 'body', 'embedding');
INSERT INTO half VALUES (1, 'half'), (2, 'precision');
SELECT is(count(*), 2::bigint, 'a column of halfvec') FROM half WHERE embedding = embed_document('e', body)::halfvec;

-- Keys that are checked late, targets behind domains
CREATE DOMAIN embedding AS vector(32) CHECK (vector_dims(VALUE) = 32);
CREATE TABLE late (a int, b int, body text, embedding embedding, PRIMARY KEY (b, a) DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX late_near ON late USING maskgen_hnsw (embedding vector_cosine_ops);
SELECT create_embed_trigger('late', 'e', 'body', 'embedding');
BEGIN;
INSERT INTO late VALUES (1, 1, 'one'), (1, 2, 'two');
UPDATE late SET b = 1, body = body || '!';
SELECT is(wrong('late'), 0::bigint, 'rows that share a deferrable key for a while');
UPDATE late SET b = 2 WHERE body = 'two!';
COMMIT;
SELECT is(wrong('late'), 0::bigint, 'and when they do no longer');
SET enable_seqscan = off;
SELECT is((SELECT b FROM late ORDER BY embedding <=> embed_document('e', 'two!') LIMIT 1), 2, 'an index on a domain finds');
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''EXPLAIN (COSTS off) '' || query; END';
SELECT ok(EXISTS (SELECT FROM plan_of($$SELECT b FROM late ORDER BY embedding <=> embed_document('e', 'two!') LIMIT 1$$) p WHERE p ~ 'using late_near'), 'and is used');
SELECT is_empty($$SELECT * FROM index_check('late_near', true)$$, 'and sound');
RESET enable_seqscan;
CREATE DOMAIN any_dims AS vector;
CREATE TABLE some_of (v any_dims);
SELECT throws_ok('CREATE INDEX ON some_of USING maskgen_hnsw (v vector_cosine_ops)', '22023', 'column does not have dimensions', 'if it has dimensions');

-- Partitions and inheritance
CREATE TABLE part (k int, id int, body text, embedding vector, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 (gone int, body text, id int NOT NULL, embedding vector, k int NOT NULL);
ALTER TABLE part_2 DROP gone;
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
SELECT create_embed_trigger('part', 'e', 'body', 'embedding');
INSERT INTO part SELECT 1 + i % 2, i, 'partition ' || i FROM generate_series(1, 20) i;
SELECT is(wrong('part'), 0::bigint, 'partitions');
UPDATE part SET k = 3 - k, body = CASE WHEN id % 5 = 0 THEN 'moved' ELSE body END;
SELECT results_eq('SELECT * FROM asked()', 'VALUES (4::bigint, 1::bigint)', 'rows that move are embedded if their text changes');
SELECT is(wrong('part'), 0::bigint, 'where they are now');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id = 7 THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON part_1 FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER refuse BEFORE INSERT ON part_2 FOR EACH ROW EXECUTE FUNCTION refuse();
UPDATE part SET k = 3 - k, body = CASE WHEN id > 5 THEN 'moved again' ELSE body END;
SELECT is(wrong('part'), 0::bigint, 'also if one is lost on the way');
SELECT is(count(*), 19::bigint, 'that one') FROM part;
CREATE TABLE parent (id int PRIMARY KEY, body text, embedding vector);
CREATE TABLE child (more int) INHERITS (parent);
SELECT create_embed_trigger('parent', 'e', 'body', 'embedding');
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (1, 'child', NULL, 1);
UPDATE parent SET body = body || ' changed';
SELECT is(wrong('parent'), 0::bigint, 'a parent and its child with the same key');

-- Other triggers
CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := btrim(NEW.body); RETURN NEW; END $$;
CREATE TABLE trimmed (id int PRIMARY KEY, body text, embedding vector);
CREATE TRIGGER trimmed BEFORE UPDATE ON trimmed FOR EACH ROW EXECUTE FUNCTION trimmed();
SELECT create_embed_trigger('trimmed', 'e', 'body', 'embedding');
INSERT INTO trimmed VALUES (1, ' a '), (2, 'b');
SELECT is(wrong('trimmed'), 0::bigint, 'a row trigger that changes the text while its vector is written');
CREATE OR REPLACE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := NEW.body || '.'; RETURN NEW; END $$;
SELECT throws_ok($$UPDATE trimmed SET body = 'c'$$, '09000', 'embedding of table "trimmed" does not come to an end', 'and one that never stops');
DROP TRIGGER trimmed ON trimmed;
UPDATE trimmed SET body = 'd';
SELECT is(wrong('trimmed'), 0::bigint, 'after which all is well');
CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF pg_trigger_depth() = 1 THEN UPDATE trimmed SET body = 'later' WHERE id = 1; END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER a_first AFTER UPDATE ON trimmed FOR EACH STATEMENT EXECUTE FUNCTION later();
UPDATE trimmed SET body = 'soon';
SELECT is(wrong('trimmed'), 0::bigint, 'a text that another trigger has changed since');

-- Whose rights
CREATE ROLE maskgen_trigger_owner;
CREATE ROLE maskgen_trigger_writer;
GRANT CREATE ON SCHEMA public TO maskgen_trigger_owner;
SET ROLE maskgen_trigger_owner;
CREATE TABLE owned (id int PRIMARY KEY, body text, embedding vector);
CREATE TABLE keyless (body text, embedding vector, n int);
GRANT INSERT ON owned TO maskgen_trigger_writer;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append ON owned FOR INSERT WITH CHECK (true);
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'embedding')$$, '42501', 'permission denied for model "e"', 'the owner must have the model');
RESET ROLE;
SELECT grant_model('e', 'maskgen_trigger_owner');
SET ROLE maskgen_trigger_writer;
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'embedding')$$, '42501', 'must be owner of table owned', 'a writer creates no triggers');
RESET ROLE;
SET ROLE maskgen_trigger_owner;
SELECT lives_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'embedding')$$, 'the owner does');
SET ROLE maskgen_trigger_writer;
SELECT lives_ok($$INSERT INTO owned VALUES (1, 'written')$$, 'who may insert needs neither the model nor UPDATE');
SELECT throws_ok($$SELECT embed('e', 'x')$$, '42501', NULL, 'and does not get it');
SELECT is(current_user::text, 'maskgen_trigger_writer', 'the user is the same afterwards');
RESET ROLE;
SELECT is(wrong('owned'), 0::bigint, 'the vector is there, past row-level security');
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'embedding')$$, '42710', 'column "embedding" of table "owned" has an embedding trigger already', 'a second one');
SELECT throws_ok($$SELECT drop_embed_trigger('owned', 'body')$$, '42704', 'table "owned" has no embedding trigger for column "body"', 'dropping what is not there');
SET ROLE maskgen_trigger_writer;
SELECT throws_ok($$SELECT drop_embed_trigger('owned', 'embedding')$$, '42501', 'must be owner of table owned', 'a writer drops none');
RESET ROLE;
SELECT lives_ok($$SELECT drop_embed_trigger('owned', 'embedding')$$, 'the owner does');
SELECT is(count(*), 0::bigint, 'both') FROM pg_trigger WHERE tgrelid = 'owned'::regclass;

-- What does not fit
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'nowhere', 'body', 'embedding')$$, '42704', 'model "nowhere" does not exist', 'no model');
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'text', 'embedding')$$, '42703', 'column "text" of relation "owned" does not exist', 'no column');
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'id', 'embedding')$$, '42804', 'column "id" has type integer, not text', 'no text');
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'embedding')$$, '22023', 'create_embed_trigger takes 2 to 17 columns, not 1', 'no source');
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'body')$$, '42804', 'column "body" has type text, which holds no vectors', 'a target of another type');
ALTER TABLE owned ADD made vector GENERATED ALWAYS AS (embed_document('e', body)) STORED;
SELECT throws_ok($$SELECT create_embed_trigger('owned', 'e', 'body', 'made')$$, '428C9', 'column "made" of relation "owned" is a generated column', 'a generated one');
ALTER TABLE owned DROP made;
CREATE VIEW seen_owned AS SELECT * FROM owned;
CREATE MATERIALIZED VIEW kept_owned AS SELECT * FROM owned;
SELECT throws_ok($$SELECT create_embed_trigger('seen_owned', 'e', 'body', 'embedding')$$, '42809', '"seen_owned" is not a table', 'a view');
SELECT throws_ok($$SELECT create_embed_trigger('kept_owned', 'e', 'body', 'embedding')$$, '42809', '"kept_owned" is not a table', 'a materialised view');
SELECT throws_ok($$SELECT create_embed_trigger('owned_pkey', 'e', 'body', 'embedding')$$, '42809', '"owned_pkey" is not a table', 'an index');
DROP VIEW seen_owned;
DROP MATERIALIZED VIEW kept_owned;
SELECT throws_ok(format($$SELECT create_embed_trigger(%s::regclass, 'e', 'body', 'embedding')$$, oid), '42P01', 'relation with OID ' || oid || ' does not exist', 'nothing')
FROM unnest('{0,4294967294}'::oid[]) oid;
SELECT throws_ok(format($$SELECT drop_embed_trigger(%s::regclass, 'embedding')$$, oid), '42P01', 'relation with OID ' || oid || ' does not exist', 'nothing to drop from')
FROM unnest('{0,4294967294}'::oid[]) oid;
SELECT length(create_model('mask', :'dir' || '/golden/tiny/bert-mlm')) AS n \gset
SELECT throws_ok($$SELECT create_embed_trigger('late', 'mask', 'body', 'embedding')$$, '55000', 'model "mask" does not make embeddings', 'a model that does not embed');
SELECT drop_model('mask');
-- What a statement tells beside its error: a hint, or a notice
CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(hint_of($$SELECT create_embed_trigger('owned', 'e', 'text', 'embedding')$$), 'Name the columns of text first and the column of the vector last.',
	'no hint at triggers that are not there');
SELECT is(hint_of($$SELECT create_embed_trigger('narrow', 'e', 'body', 'embedding')$$),
	'Change it: ALTER TABLE public.narrow ALTER embedding TYPE maskgen.vector(32) USING NULL.', 'how to change a column');
SELECT throws_ok($$SELECT create_embed_trigger('keyless', 'e', 'body', 'embedding')$$, '55000', 'table "keyless" has no primary key', 'no key');
SELECT is(count(*), 0::bigint, 'nothing is left of these') FROM pg_trigger WHERE tgrelid IN ('owned'::regclass, 'keyless'::regclass);
CREATE TRIGGER t BEFORE INSERT ON owned FOR EACH ROW EXECUTE FUNCTION embed_statement_trigger('e', 'body', 'embedding');
SELECT throws_ok($$INSERT INTO owned VALUES (2, 'x')$$, '39P01', NULL, 'a row trigger');
DROP TRIGGER t ON owned;
CREATE TRIGGER t AFTER UPDATE ON owned REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION embed_statement_trigger('e', 'body', 'embedding');
SELECT throws_ok($$UPDATE owned SET body = 'x'$$, '39P01', NULL, 'an update without the old rows');
DROP TABLE owned, keyless;
REVOKE CREATE ON SCHEMA public FROM maskgen_trigger_owner;
SELECT revoke_model('e', 'maskgen_trigger_owner');
DROP ROLE maskgen_trigger_owner, maskgen_trigger_writer;

-- Later changes of the table
ALTER TABLE doc ALTER id TYPE bigint;
INSERT INTO doc (id, body) VALUES (7000, 'a wider key');
ALTER TABLE doc SET SCHEMA "Odd schema";
INSERT INTO "Odd schema".doc (id, body) VALUES (7001, 'elsewhere');
SELECT is(wrong('"Odd schema".doc'), 0::bigint, 'another key and another schema');
ALTER TABLE "Odd schema".doc RENAME body TO text;
SELECT throws_ok($$INSERT INTO "Odd schema".doc (id, text) VALUES (7002, 'x')$$, '42703', 'column "body" of relation "doc" does not exist', 'a renamed column is said');
SELECT * FROM finish();
