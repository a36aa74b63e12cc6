-- Views about the whole, and what the columns of all views mean.

CREATE VIEW maskgen_model_grants AS
SELECT m.name AS model, m.owner::pg_catalog.oid::pg_catalog.regrole AS owner,
	CASE g.role::pg_catalog.oid WHEN 0::pg_catalog.oid THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.role) END AS granted_to
FROM "+maskgen".model m CROSS JOIN LATERAL pg_catalog.unnest(m.grants) g (role)
WHERE m.part OPERATOR(pg_catalog.<) 0
	AND (g.role::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
		OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) g.role::pg_catalog.oid));
COMMENT ON VIEW maskgen_model_grants IS 'who besides its owner may use a model; a dropped role is left out';

CREATE VIEW maskgen_settings AS
SELECT s.name, s.setting, s.unit, s.short_desc AS description,
	CASE s.context WHEN 'user' THEN 'anybody' WHEN 'superuser' THEN 'superusers' WHEN 'sighup' THEN 'reload' WHEN 'postmaster' THEN 'restart' ELSE s.context END
		AS set_by,
	s.vartype AS type, s.min_val, s.max_val, s.enumvals, s.boot_val AS "default", s.source
FROM pg_catalog.pg_settings s
WHERE pg_catalog.starts_with(s.name, 'maskgen.');
COMMENT ON VIEW maskgen_settings IS 'settings of this extension with unit, range and who may set them; a session sees them once it has used the extension';

GRANT SELECT ON maskgen_model_grants, maskgen_settings TO PUBLIC;

COMMENT ON COLUMN maskgen_model_grants.model IS 'name of the model';
COMMENT ON COLUMN maskgen_model_grants.owner IS 'role that may also change and drop it';
COMMENT ON COLUMN maskgen_model_grants.granted_to IS 'role that may use it; "public" is everybody';

COMMENT ON COLUMN maskgen_settings.name IS 'name for SET and SHOW';
COMMENT ON COLUMN maskgen_settings.setting IS 'value in this session';
COMMENT ON COLUMN maskgen_settings.unit IS 'unit of a number without one';
COMMENT ON COLUMN maskgen_settings.description IS 'what it does';
COMMENT ON COLUMN maskgen_settings.set_by IS 'anybody: by SET; superusers: by SET; reload, restart: in the server''s configuration';
COMMENT ON COLUMN maskgen_settings.type IS 'bool, integer, real, string or enum';
COMMENT ON COLUMN maskgen_settings.min_val IS 'least value of a number';
COMMENT ON COLUMN maskgen_settings.max_val IS 'greatest value of a number';
COMMENT ON COLUMN maskgen_settings.enumvals IS 'values of an enum';
COMMENT ON COLUMN maskgen_settings."default" IS 'value if nothing sets it';
COMMENT ON COLUMN maskgen_settings.source IS 'where the value comes from';

COMMENT ON COLUMN maskgen_models.name IS 'name that functions take';
COMMENT ON COLUMN maskgen_models.version IS 'SHA-256 of its content, in hexadecimal';
COMMENT ON COLUMN maskgen_models.architecture IS 'kind of network, such as bert or llama';
COMMENT ON COLUMN maskgen_models.tasks IS 'what it can be asked for';
COMMENT ON COLUMN maskgen_models.dims IS 'numbers of a vector';
COMMENT ON COLUMN maskgen_models.max_tokens IS 'tokens of a text that it reads, special ones included';
COMMENT ON COLUMN maskgen_models.parameters IS 'number of weights';
COMMENT ON COLUMN maskgen_models.dtype IS 'form that matrices are stored in';
COMMENT ON COLUMN maskgen_models.stored_bytes IS 'bytes in the database';
COMMENT ON COLUMN maskgen_models.resident_bytes IS 'bytes in memory, once for all sessions';
COMMENT ON COLUMN maskgen_models.loaded IS 'whether it is in memory now';
COMMENT ON COLUMN maskgen_models.pinned IS 'whether it stays there, see load_model';
COMMENT ON COLUMN maskgen_models.users IS 'sessions that have it bound';
COMMENT ON COLUMN maskgen_models.owner IS 'role that may change and drop it';
COMMENT ON COLUMN maskgen_models.kernel IS 'instruction set that this session computes it with';
COMMENT ON COLUMN maskgen_models.created IS 'time of create_model';
COMMENT ON COLUMN maskgen_models.granted_to IS 'roles that may use it; "public" is everybody';

COMMENT ON COLUMN maskgen_stat_models.name IS 'name of the model';
COMMENT ON COLUMN maskgen_stat_models.calls IS 'calls of a function, a batch being one';
COMMENT ON COLUMN maskgen_stat_models.rows IS 'texts';
COMMENT ON COLUMN maskgen_stat_models.tokens IS 'tokens that were computed';
COMMENT ON COLUMN maskgen_stat_models.batches IS 'forward passes';
COMMENT ON COLUMN maskgen_stat_models.compute_time IS 'milliseconds spent in the model';
COMMENT ON COLUMN maskgen_stat_models.errors IS 'calls that ended in an error';
COMMENT ON COLUMN maskgen_stat_models.cache_hits IS 'texts answered from the result cache';
COMMENT ON COLUMN maskgen_stat_models.stats_reset IS 'time since which is counted';
COMMENT ON COLUMN maskgen_stat_models.prompt_tokens IS 'of the tokens, those that were read, in prompts and other texts';
COMMENT ON COLUMN maskgen_stat_models.new_tokens IS 'tokens of answers; the last one of each is drawn and not computed further';

COMMENT ON COLUMN maskgen_result_cache.size IS 'bytes of shared memory; 0: there is no cache';
COMMENT ON COLUMN maskgen_result_cache.entries IS 'results in it';
COMMENT ON COLUMN maskgen_result_cache.bytes IS 'bytes that they take';
COMMENT ON COLUMN maskgen_result_cache.hits IS 'texts answered from it, in all databases';
COMMENT ON COLUMN maskgen_result_cache.misses IS 'texts that were not in it';
COMMENT ON COLUMN maskgen_result_cache.evictions IS 'results that made room for others';
COMMENT ON COLUMN maskgen_result_cache.stats_reset IS 'time since which is counted';
