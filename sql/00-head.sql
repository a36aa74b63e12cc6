-- What CREATE EXTENSION maskgen runs: the fragments sql/NN-*.sql, one after another.
\echo Use "CREATE EXTENSION maskgen" to load this file. \quit

-- Who may use which model is a matter of grant_model(), not of the schema.
GRANT USAGE ON SCHEMA maskgen TO PUBLIC;
