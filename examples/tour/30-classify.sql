-- Part of the tour that ./demo runs: zero-shot classification, compared with what a person said.
\echo
\echo '== Sort them by topic: no training, no examples, only the names of the topics'
\echo
SELECT id, left(subject, 36) AS subject,
	maskgen.classify('bert', subject || '. ' || body,
		'{payment,delivery,password,software,battery,privacy}', '{mask} problem: {text}') AS answer,
	topic AS person
FROM ticket ORDER BY id LIMIT 10;

\echo 'The same for all of them, to see how often BERT and the person agree (guessing would give 17 %):'
\echo
CREATE TABLE answer AS
SELECT id, topic,
	maskgen.classify('bert', subject || '. ' || body,
		'{payment,delivery,password,software,battery,privacy}', '{mask} problem: {text}') AS answer
FROM ticket;

SELECT coalesce(topic, 'all') AS topic, count(*) AS tickets,
	count(*) FILTER (WHERE answer = topic) AS agree,
	round(100.0 * count(*) FILTER (WHERE answer = topic) / count(*), 1) AS percent
FROM answer GROUP BY ROLLUP (topic) ORDER BY answer.topic;

\echo 'Why one of them went where it went: the score of each label'
\echo
SELECT label, round(score::numeric, 2) AS score
FROM ticket, maskgen.classify_scores('bert', subject || '. ' || body,
	'{payment,delivery,password,software,battery,privacy}', '{mask} problem: {text}')
WHERE id = 1001;

\echo 'With an enum type, the labels are the type:'
\echo
CREATE TYPE mood AS ENUM ('angry', 'happy', 'worried');

SELECT text, maskgen.classify_as('bert', text, NULL::mood, '{text} I am {mask}.') AS mood
FROM (VALUES ('What a lovely surprise, thank you all!'),
	('Your driver shouted at my mother, this is outrageous.'),
	('Will my order arrive before Christmas? I am not sure.')) AS said (text);
