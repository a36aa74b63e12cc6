-- Part of the tour that ./demo runs: texts that a small language model writes about rows.
\echo
\echo '== A language model moves in: one GGUF file'
\echo
SELECT maskgen.create_model('smollm2', :'smollm2') AS version;

\echo 'What follows a text; the same seed gives the same text'
\echo
SELECT maskgen.generate('smollm2', 'The three most common reasons for calling a help desk are', max_tokens => 40) AS text;

\echo 'A subject line for each of some tickets, all rows in step'
\echo
SELECT id, maskgen.generate('smollm2', 'Ticket: ' || body || E'\nSubject in five words:', max_tokens => 12, stop => E'{"\n"}') AS written, subject AS person
FROM ticket ORDER BY id LIMIT 8;
