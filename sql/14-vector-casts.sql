-- Casts among vector, halfvec, sparsevec and arrays: to a type modifier and to fewer digits or stored elements without
-- being asked, back and from arrays on assignment.

CREATE FUNCTION "+maskgen".vector(vector, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec(halfvec, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".sparsevec(sparsevec, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_sparsevec_typed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_to_vector(halfvec, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_vector' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_to_halfvec(vector, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_vector_to_halfvec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".sparsevec_to_vector(sparsevec, int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_to_sparsevec(vector, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_vector_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".sparsevec_to_halfvec(sparsevec, int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_to_sparsevec(halfvec, int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_vector(int[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_vector(real[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_vector(double precision[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_vector(numeric[], int, boolean) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_vector_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_halfvec(int[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_halfvec(real[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_halfvec(double precision[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_halfvec(numeric[], int, boolean) RETURNS halfvec
AS 'MODULE_PATHNAME', 'maskgen_halfvec_of_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_sparsevec(int[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_sparsevec(real[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_sparsevec(double precision[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".array_to_sparsevec(numeric[], int, boolean) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_array_to_sparsevec' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".vector_to_float4(vector, int, boolean) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_vector_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".halfvec_to_float4(halfvec, int, boolean) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_halfvec_to_float4' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE CAST (vector AS vector) WITH FUNCTION "+maskgen".vector(vector, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS halfvec) WITH FUNCTION "+maskgen".halfvec(halfvec, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS sparsevec) WITH FUNCTION "+maskgen".sparsevec(sparsevec, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS vector) WITH FUNCTION "+maskgen".halfvec_to_vector(halfvec, int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS halfvec) WITH FUNCTION "+maskgen".vector_to_halfvec(vector, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS vector) WITH FUNCTION "+maskgen".sparsevec_to_vector(sparsevec, int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS sparsevec) WITH FUNCTION "+maskgen".vector_to_sparsevec(vector, int, boolean) AS IMPLICIT;
CREATE CAST (sparsevec AS halfvec) WITH FUNCTION "+maskgen".sparsevec_to_halfvec(sparsevec, int, boolean) AS ASSIGNMENT;
CREATE CAST (halfvec AS sparsevec) WITH FUNCTION "+maskgen".halfvec_to_sparsevec(halfvec, int, boolean) AS IMPLICIT;
CREATE CAST (int[] AS vector) WITH FUNCTION "+maskgen".array_to_vector(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS vector) WITH FUNCTION "+maskgen".array_to_vector(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS vector) WITH FUNCTION "+maskgen".array_to_vector(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS vector) WITH FUNCTION "+maskgen".array_to_vector(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (int[] AS halfvec) WITH FUNCTION "+maskgen".array_to_halfvec(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS halfvec) WITH FUNCTION "+maskgen".array_to_halfvec(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS halfvec) WITH FUNCTION "+maskgen".array_to_halfvec(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS halfvec) WITH FUNCTION "+maskgen".array_to_halfvec(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (int[] AS sparsevec) WITH FUNCTION "+maskgen".array_to_sparsevec(int[], int, boolean) AS ASSIGNMENT;
CREATE CAST (real[] AS sparsevec) WITH FUNCTION "+maskgen".array_to_sparsevec(real[], int, boolean) AS ASSIGNMENT;
CREATE CAST (double precision[] AS sparsevec) WITH FUNCTION "+maskgen".array_to_sparsevec(double precision[], int, boolean) AS ASSIGNMENT;
CREATE CAST (numeric[] AS sparsevec) WITH FUNCTION "+maskgen".array_to_sparsevec(numeric[], int, boolean) AS ASSIGNMENT;
CREATE CAST (vector AS real[]) WITH FUNCTION "+maskgen".vector_to_float4(vector, int, boolean) AS IMPLICIT;
CREATE CAST (halfvec AS real[]) WITH FUNCTION "+maskgen".halfvec_to_float4(halfvec, int, boolean) AS ASSIGNMENT;
