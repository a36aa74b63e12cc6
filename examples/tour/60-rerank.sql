-- Part of the tour that ./demo runs: search, then rank again what was found.
\echo
\echo '== Search, then rank again: the vectors of all tokens look closer than one vector of a text'
\echo
\echo 'A reranker that was trained for it (a cross-encoder, rerank_score) is in no package that can be fetched here, so MiniLM does it by late interaction. The'
\echo 'first ten by one vector, ranked again by the vectors of their tokens:'
\echo
SELECT id, subject, round(max_sim(embed_tokens('minilm', 'billed two times'), embed_tokens('minilm', subject || '. ' || body))::numeric, 2) AS score, before
FROM (SELECT *, row_number() OVER (ORDER BY embedding <=> embed('minilm', 'billed two times')) AS before FROM ticket
	ORDER BY embedding <=> embed('minilm', 'billed two times') LIMIT 10) AS found
ORDER BY 3 DESC LIMIT 5;
