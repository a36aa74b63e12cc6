-- Part of the tour that ./demo runs: search by meaning.
\echo
\echo '== Search by meaning: neither "billed" nor "two times" stands in the best answer'
\echo
SET search_path = public, maskgen;

SELECT id, subject, round((embedding <=> embed('minilm', 'I was billed two times'))::numeric, 3) AS distance
FROM ticket
ORDER BY embedding <=> embed('minilm', 'I was billed two times') LIMIT 5;

SET maskgen.embed_model = 'minilm';

SELECT id, subject, left(body, 60) || '...' AS body
FROM ticket
WHERE created_at >= '2026-05-15'
ORDER BY embedding <=> embed('is somebody listening to us at home?') LIMIT 5;

\echo 'An index finds the nearest among millions. These 204 rows are read sooner without it, so it has to be asked for:'
\echo
CREATE INDEX ticket_embedding ON ticket USING maskgen_hnsw (embedding vector_cosine_ops);

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM ticket ORDER BY embedding <=> (SELECT embed('I was billed two times')) LIMIT 5;
RESET enable_seqscan;

\echo 'What a statement costs: rows, tokens and batches of the model in it'
\echo
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT count(*) FROM ticket WHERE embed_document('minilm', body) <=> embedding < 0.5;

\echo 'A new ticket can be found as soon as it is inserted, for the trigger runs in the same transaction:'
\echo
INSERT INTO ticket (id, customer, subject, body)
VALUES (2001, 'Elena Rossi', 'Parrot', 'My parrot has learnt to order things by talking to your speaker.');

SELECT id, subject, left(body, 60) || '...' AS body
FROM ticket ORDER BY embedding <=> embed('a bird goes shopping') LIMIT 2;

\echo
\echo '== What is in memory, once for all sessions'
\echo
SELECT name, pg_size_pretty(stored_bytes) AS stored, pg_size_pretty(resident_bytes) AS resident, loaded, users, kernel
FROM maskgen.maskgen_models;
