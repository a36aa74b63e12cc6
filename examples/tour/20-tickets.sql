-- Part of the tour that ./demo runs: a table of support tickets, and a trigger that keeps a vector beside each.
\echo
\echo '== A table of support tickets; a trigger embeds whatever is inserted or changed'
\echo
CREATE TABLE ticket (
	id int PRIMARY KEY,
	customer text NOT NULL,
	created_at timestamp NOT NULL DEFAULT now(),
	subject text NOT NULL,
	body text NOT NULL,
	topic text,                       -- what a person says it is about; the models never see this
	embedding maskgen.vector(384));

CREATE FUNCTION embed_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.embedding := maskgen.embed_document('minilm', NEW.subject || '. ' || NEW.body);
	RETURN NEW;
END $$;

CREATE TRIGGER embed_ticket BEFORE INSERT OR UPDATE OF subject, body ON ticket
FOR EACH ROW EXECUTE FUNCTION embed_ticket();

\echo 'COPY of 204 tickets from examples/tour/tickets.csv, each embedded by the trigger:'
\copy ticket (id, customer, created_at, subject, body, topic) FROM 'examples/tour/tickets.csv' (FORMAT csv, HEADER)
ANALYZE ticket;
