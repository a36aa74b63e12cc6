/* Looking for the consent of a table's owner. */
#include "pg/trigger/consent.h"

#include "catalog/dependency.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"

bool
embed_has_consent(Oid trigger)
{
	Oid extension = get_extension_oid("maskgen", true);
	List *extensions = getAutoExtensionsOfObject(TriggerRelationId, trigger);
	bool found = OidIsValid(extension) && list_member_oid(extensions, extension);

	list_free(extensions);
	return found;
}
