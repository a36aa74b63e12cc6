-- What is said of columns that stay embedded.
\getenv dir PG_ABS_SRCDIR
\set VERBOSITY default
SET search_path = public, maskgen;
SELECT length(create_model('a', :'dir' || '/golden/tiny/bert-embed-mean'));
SELECT length(create_model('b', :'dir' || '/golden/tiny/bert-embed-cls'));
CREATE TABLE page (id int PRIMARY KEY, body text);
INSERT INTO page VALUES (1, 'a cat'), (2, 'a dog'), (3, NULL);
SELECT embed_column('page', 'body', model => 'a', mode => 'manual');
CALL embed_pending('page');
CALL embed_pending('page');
BEGIN;
CALL embed_pending('page');
ROLLBACK;
-- Vectors of two models
SELECT id FROM page ORDER BY embedding <=> embed_query('b', 'cat') LIMIT 0;
SELECT p.id FROM page p WHERE (SELECT embed_query('b', 'cat')) <=> p.embedding < 2 LIMIT 0;
SELECT (SELECT min(embedding <-> embed('b', 'cat')) FROM page) IS NULL;
SELECT id FROM page ORDER BY embedding <=> embed_query('a', 'cat') LIMIT 0;
SELECT id FROM page ORDER BY embedding <=> embed_for('page', 'embedding', 'cat') LIMIT 0;
-- What is wrong with a call
SELECT embed_column('page', 'body', model => 'a');
SELECT embed_column('page', 'bdy', 'other', 'a');
SELECT embed_column('page', 'random()::text', 'other', 'a');
SELECT embed_for('page', 'body', 'cat');
CALL reembed('page', 'body', 'b');
CREATE VIEW needs AS SELECT embedding FROM page;
CALL reembed('page', 'embedding', 'b');
DROP VIEW needs;
DROP TABLE page;
SELECT drop_model(name) FROM maskgen_models ORDER BY name;
