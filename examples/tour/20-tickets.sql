-- Part of the tour that ./demo runs: a table of support tickets, and a trigger that keeps a vector beside each.
\echo
\echo '== A table of support tickets; a trigger embeds what a statement has inserted or changed'
\echo
CREATE TABLE ticket (
	id int PRIMARY KEY,
	customer text NOT NULL,
	created_at timestamp NOT NULL DEFAULT now(),
	subject text NOT NULL,
	body text NOT NULL,
	topic text,                       -- what a person says it is about; the models never see this
	embedding maskgen.vector(384));

SELECT create_embed_trigger('ticket', 'minilm', 'subject', 'body', 'embedding');

\echo 'COPY of 204 tickets from examples/tour/tickets.csv, embedded together when they are there:'
\copy ticket (id, customer, created_at, subject, body, topic) FROM 'examples/tour/tickets.csv' (FORMAT csv, HEADER)
ANALYZE ticket;
