/*
 * Who made a trigger the catalog does not say, and everybody with the privilege TRIGGER can make one. So the owner of a
 * table consents to an embedding trigger by
 *
 *   ALTER TRIGGER name ON table DEPENDS ON EXTENSION maskgen
 *
 * which nobody else may do, which a dump carries along, and which ends when somebody replaces the trigger.
 */
#ifndef MASKGEN_PG_TRIGGER_CONSENT_H
#define MASKGEN_PG_TRIGGER_CONSENT_H

#include "postgres.h"

bool embed_has_consent(Oid trigger);

#endif
