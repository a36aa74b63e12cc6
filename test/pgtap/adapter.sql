-- LoRA adapters: create_model and check_model merge them into the base model that an option, or the adapter, names.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(8);

CREATE TABLE option AS SELECT jsonb_build_object('base', :'dir' || '/golden/tiny/bert-embed-mean', 'normalized', false) AS json;
CREATE FUNCTION options() RETURNS jsonb LANGUAGE sql AS 'SELECT json FROM option';
SELECT lives_ok(format('SELECT create_model(''tuned'', %L, options())', :'dir' || '/golden/adapter/plain'), 'an adapter becomes a model');
SELECT lives_ok(format('SELECT create_model(''base'', %L, ''{"normalized": false}'')', :'dir' || '/golden/tiny/bert-embed-mean'), 'so does its base');
-- test/golden/adapter/plain.txt
SELECT ok(abs((embed('tuned', 'the quick brown fox')::float4[])[1] - 0.959033906) < 1e-4 AND abs((embed('tuned', 'the quick brown fox')::float4[])[2] - 1.11907065) < 1e-4,
	'with the vectors of the merged model');
SELECT ok(abs((embed('base', 'the quick brown fox')::float4[])[1] - 0.959033906) > 1e-3, 'which are not those of the base');
SELECT results_eq(format('SELECT item, value FROM check_model(%L, options()) WHERE item IN (''parameters'', ''dims'') ORDER BY item', :'dir' || '/golden/adapter/plain'),
	format('SELECT item, value FROM check_model(%L) WHERE item IN (''parameters'', ''dims'') ORDER BY item', :'dir' || '/golden/tiny/bert-embed-mean'), 'check_model says the same of both');
SELECT throws_ok(format('SELECT create_model(''other'', %L)', :'dir' || '/golden/adapter/plain'), '22023', 'base model of the adapter is not known by an absolute path',
	'a base that is nowhere named is asked for');
SELECT throws_ok(format('SELECT create_model(''other'', %L, ''{"base": "/nowhere"}'')', :'dir' || '/golden/adapter/plain'), '58P01', NULL, 'one that is not there is refused');
SELECT throws_ok(format('SELECT create_model(''other'', %L, options())', :'dir' || '/golden/tiny/bert-mlm'), '22023', 'option "base" is for adapters', 'so is a base for what is no adapter');
SELECT * FROM finish();
