-- Part of the tour that ./demo runs. Needs: the directories of the two default models in :minilm and :bert.
\pset pager off
\pset footer off
\set ECHO queries
\timing on

\echo
\echo '== Two models move into the database: from here on they are rows, in backups and on standbys'
\echo
CREATE EXTENSION maskgen;

SELECT maskgen.create_model('minilm', :'minilm') AS version;

SELECT maskgen.create_model('bert', :'bert') AS version;

SELECT name, architecture, tasks, dims, max_tokens, parameters, pg_size_pretty(stored_bytes) AS stored
FROM maskgen.maskgen_models;

\echo
\echo '== Fill in the blank'
\echo
SELECT rank, token, round(score::numeric, 4) AS score, sequence
FROM maskgen.fill_mask('bert', 'The capital of France is [MASK].');

SELECT token, round(score::numeric, 4) AS score
FROM maskgen.fill_mask('bert', 'The [MASK] barked all night.', targets => '{dog,cat,baby,parrot}');
