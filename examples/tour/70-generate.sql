-- Part of the tour that ./demo runs: texts that a small language model writes, one at a time and about rows.
\echo
\echo '== A language model moves in: one GGUF file'
\echo
SELECT maskgen.create_model('smollm2', :'smollm2') AS version;

SELECT maskgen.chat('smollm2', '[{"role": "user", "content": "Name the capital of France."}]', 30) AS answer;

\echo 'A reply to each of some tickets, all rows in step. With 135 million weights it writes fluently and is often wrong; larger models go in the same way:'
\echo
SELECT id, subject, maskgen.chat('smollm2', jsonb_build_array(jsonb_build_object('role', 'user', 'content',
	'Answer this customer politely in one sentence: ' || body)), max_tokens => 40, stop => E'{"\n"}') AS reply
FROM ticket ORDER BY id LIMIT 4;
