-- What CREATE EXTENSION maskgen runs: the fragments sql/NN-*.sql, one after another.
\echo Use "CREATE EXTENSION maskgen" to load this file. \quit
