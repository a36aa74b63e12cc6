-- Classifiers as values: zero-shot ones of a model's own vectors, and those that are fitted to rows.

CREATE TYPE classifier;

CREATE FUNCTION "+maskgen".classifier_in(cstring) RETURNS classifier
AS 'MODULE_PATHNAME', 'maskgen_classifier_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_out(classifier) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_classifier_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_recv(internal) RETURNS classifier
AS 'MODULE_PATHNAME', 'maskgen_classifier_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_send(classifier) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_classifier_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE classifier (
	INPUT = "+maskgen".classifier_in, OUTPUT = "+maskgen".classifier_out, RECEIVE = "+maskgen".classifier_recv, SEND = "+maskgen".classifier_send,
	STORAGE = external, ALIGNMENT = double
);
COMMENT ON TYPE classifier IS 'what tells classes of vectors apart: a weight for each label and dimension';

CREATE FUNCTION zero_shot_classifier(model text, labels text[], template text DEFAULT '') RETURNS classifier
AS 'MODULE_PATHNAME', 'maskgen_zero_shot_classifier' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION zero_shot_classifier(text, text[], text) IS 'classifier of an embedding model''s vectors by a sentence about each label';

CREATE FUNCTION predict(classifier classifier, embedding vector) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_predict' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION predict(classifier, vector) IS 'the label that a classifier gives a vector';

CREATE FUNCTION predict_scores(classifier classifier, embedding vector, OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_predict_scores' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION predict_scores(classifier, vector) IS 'log probability of each label for a vector, best first';

CREATE FUNCTION label_scores(classifier classifier, embedding vector) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_predict_label_scores' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION label_scores(classifier, vector) IS 'log probability of each label for a vector, in the order of the labels';

CREATE FUNCTION classifier_info(classifier classifier, OUT method text, OUT labels text[], OUT dims int, OUT labelled bigint,
	OUT unlabelled bigint, OUT accuracy double precision) RETURNS record
AS 'MODULE_PATHNAME', 'maskgen_classifier_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION classifier_info(classifier) IS
'how a classifier was made, of how many rows, and the share of new rows that it is expected to be right about';

CREATE FUNCTION "+maskgen".fit_classifier_accum(internal, vector, text) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_classifier_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;
CREATE FUNCTION "+maskgen".fit_labels_accum(internal, text[], vector, real[]) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_labels_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;
CREATE FUNCTION "+maskgen".fit_guess_accum(internal, classifier, vector) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_guess_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;
CREATE FUNCTION "+maskgen".fit_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION "+maskgen".fit_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'maskgen_fit_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".fit_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".fit_finish(internal) RETURNS classifier
AS 'MODULE_PATHNAME', 'maskgen_fit_finish' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE fit_classifier(embedding vector, label text) (
	SFUNC = "+maskgen".fit_classifier_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_classifier(vector, text) IS 'classifier learnt from labelled rows; rows whose label is NULL help as well';

CREATE AGGREGATE fit_labels(labels text[], embedding vector, scores real[]) (
	SFUNC = "+maskgen".fit_labels_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_labels(text[], vector, real[]) IS 'classifier learnt from rows without labels and what a model guesses of them';

CREATE AGGREGATE fit_labels(guess classifier, embedding vector) (
	SFUNC = "+maskgen".fit_guess_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_labels(classifier, vector) IS 'classifier learnt from rows without labels, which another one guesses';

-- The same of halfvec. A literal has to say which of the two it is.

CREATE FUNCTION predict(classifier classifier, embedding halfvec) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_predict_half' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION predict(classifier, halfvec) IS 'the label that a classifier gives a vector';

CREATE FUNCTION predict_scores(classifier classifier, embedding halfvec, OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_predict_scores_half' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 4;
COMMENT ON FUNCTION predict_scores(classifier, halfvec) IS 'log probability of each label for a vector, best first';

CREATE FUNCTION label_scores(classifier classifier, embedding halfvec) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_predict_label_scores_half' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION label_scores(classifier, halfvec) IS 'log probability of each label for a vector, in the order of the labels';

CREATE FUNCTION "+maskgen".fit_classifier_accum(internal, halfvec, text) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_classifier_accum_half' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;
CREATE FUNCTION "+maskgen".fit_labels_accum(internal, text[], halfvec, real[]) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_labels_accum_half' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;
CREATE FUNCTION "+maskgen".fit_guess_accum(internal, classifier, halfvec) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fit_guess_accum_half' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300;

CREATE AGGREGATE fit_classifier(embedding halfvec, label text) (
	SFUNC = "+maskgen".fit_classifier_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_classifier(halfvec, text) IS 'classifier learnt from labelled rows; rows whose label is NULL help as well';

CREATE AGGREGATE fit_labels(labels text[], embedding halfvec, scores real[]) (
	SFUNC = "+maskgen".fit_labels_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_labels(text[], halfvec, real[]) IS 'classifier learnt from rows without labels and what a model guesses of them';

CREATE AGGREGATE fit_labels(guess classifier, embedding halfvec) (
	SFUNC = "+maskgen".fit_guess_accum, STYPE = internal, SSPACE = 100000, FINALFUNC = "+maskgen".fit_finish, COMBINEFUNC = "+maskgen".fit_combine,
	SERIALFUNC = "+maskgen".fit_serialize, DESERIALFUNC = "+maskgen".fit_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE fit_labels(classifier, halfvec) IS 'classifier learnt from rows without labels, which another one guesses';

-- Equal are values of the same bytes: for DISTINCT and GROUP BY, and for subscribers that find rows by all columns.
CREATE FUNCTION "+maskgen".classifier_eq(classifier, classifier) RETURNS boolean AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_ne(classifier, classifier) RETURNS boolean AS 'byteane' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_hash(classifier) RETURNS int AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".classifier_hash(classifier, bigint) RETURNS bigint AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR = (LEFTARG = classifier, RIGHTARG = classifier, FUNCTION = "+maskgen".classifier_eq, COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
CREATE OPERATOR <> (LEFTARG = classifier, RIGHTARG = classifier, FUNCTION = "+maskgen".classifier_ne, COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR CLASS classifier_ops DEFAULT FOR TYPE classifier USING hash AS
	OPERATOR 1 =, FUNCTION 1 "+maskgen".classifier_hash(classifier), FUNCTION 2 "+maskgen".classifier_hash(classifier, bigint);
COMMENT ON OPERATOR = (classifier, classifier) IS 'whether two classifiers are the same, bit for bit';
COMMENT ON OPERATOR <> (classifier, classifier) IS 'whether they are not';
COMMENT ON OPERATOR CLASS classifier_ops USING hash IS 'classifiers by their bytes';
