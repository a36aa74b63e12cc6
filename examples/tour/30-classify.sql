-- Part of the tour that ./demo runs: classification without training, then fitted to the rows, compared with what a person said.
\echo
\echo '== Sort them by topic: no training, no examples, only the names of the topics'
\echo
SELECT id, left(subject, 36) AS subject,
	maskgen.classify('minilm', subject || E'\n' || body,
		'{payment,delivery,password,software,battery,privacy}', 'This ticket is about a {label} problem.') AS answer,
	topic AS person
FROM ticket ORDER BY id LIMIT 10;

\echo 'The same for all of them, to see how often MiniLM and the person agree (guessing would give 17 %); beside it BERT, which is five times as'
\echo 'large, by what it would write at the mask of a template:'
\echo
CREATE TABLE answer AS
SELECT id, topic,
	maskgen.classify('minilm', subject || E'\n' || body,
		'{payment,delivery,password,software,battery,privacy}', 'This ticket is about a {label} problem.') AS minilm,
	maskgen.classify('bert', subject || '. ' || body,
		'{payment,delivery,password,software,battery,privacy}', '{mask} problem: {text}') AS bert
FROM ticket;

SELECT coalesce(topic, 'all') AS topic, count(*) AS tickets,
	count(*) FILTER (WHERE minilm = topic) AS minilm_agrees,
	round(100.0 * count(*) FILTER (WHERE minilm = topic) / count(*), 1) AS percent,
	round(100.0 * count(*) FILTER (WHERE bert = topic) / count(*), 1) AS bert_percent
FROM answer GROUP BY ROLLUP (topic) ORDER BY answer.topic;

\echo 'Why one of them went where it went: the probability of each label'
\echo
SELECT label, round(exp(score)::numeric, 2) AS probability
FROM ticket, maskgen.classify_scores('minilm', subject || E'\n' || body,
	'{payment,delivery,password,software,battery,privacy}', 'This ticket is about a {label} problem.')
WHERE id = 1001;

\echo
\echo '== The vectors are stored, so no model is needed: fit a classifier to the tickets, without a label and with eight a topic'
\echo
CREATE TABLE classifiers AS
SELECT 'the labels alone' AS learnt_from,
	maskgen.zero_shot_classifier('minilm', '{payment,delivery,password,software,battery,privacy}', 'This ticket is about a {label} problem.') AS value;

INSERT INTO classifiers
SELECT 'all tickets, no label', maskgen.fit_labels((SELECT value FROM classifiers), embedding) FROM ticket;

INSERT INTO classifiers
SELECT 'all tickets, 8 labels a topic', maskgen.fit_classifier(embedding, CASE WHEN n <= 8 THEN topic END)
FROM (SELECT *, row_number() OVER (PARTITION BY topic ORDER BY md5(id::text)) AS n FROM ticket) t;

SELECT learnt_from, (maskgen.classifier_info(value)).method, count(*) FILTER (WHERE maskgen.predict(value, embedding) = topic) AS agree,
	round(100.0 * count(*) FILTER (WHERE maskgen.predict(value, embedding) = topic) / count(*), 1) AS percent
FROM classifiers, ticket GROUP BY learnt_from, method ORDER BY agree;

\echo 'With an enum type, the labels are the type:'
\echo
CREATE TYPE mood AS ENUM ('angry', 'happy', 'worried');

SELECT text, maskgen.classify_as('bert', text, NULL::mood, '{text} I am {mask}.') AS mood
FROM (VALUES ('What a lovely surprise, thank you all!'),
	('Your driver shouted at my mother, this is outrageous.'),
	('Will my order arrive before Christmas? I am not sure.')) AS said (text);
