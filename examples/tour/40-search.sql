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
