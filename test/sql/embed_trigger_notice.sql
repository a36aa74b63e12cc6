-- What create_embed_trigger tells of rows that are there
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean'));
CREATE TABLE doc (id int PRIMARY KEY, title text, "the body" text, embedding vector(32));
SELECT create_embed_trigger('doc', 'e', 'title', 'embedding');
SELECT drop_embed_trigger('doc', 'embedding');
INSERT INTO doc VALUES (1, NULL, NULL, NULL), (2, 'with', NULL, embed('e', 'with'));
SELECT create_embed_trigger('doc', 'e', 'title', 'embedding');
SELECT drop_embed_trigger('doc', 'embedding');
INSERT INTO doc VALUES (3, 'without');
SELECT create_embed_trigger('doc', 'e', 'title', 'embedding');
SELECT drop_embed_trigger('doc', 'embedding');
CREATE TABLE part (id int, embedding halfvec(32), title text, "the body" text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part_1 ("the body" text, id int NOT NULL, title text, embedding halfvec(32));
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES FROM (1) TO (9);
INSERT INTO part (id, "the body") VALUES (1, 'one');
SELECT create_embed_trigger('part', 'e', 'title', 'the body', 'embedding');
UPDATE public.part SET embedding = maskgen.embed_document('e', concat_ws(E'\n', title, "the body")) WHERE embedding IS NULL AND num_nonnulls(title, "the body") > 0;
SELECT count(*) FROM part WHERE embedding IS NULL;
DROP TABLE doc, part;
SELECT drop_model('e');
