-- Part of the tour that ./demo runs: personal data, found and masked by a model with a head for classes of tokens. Needs: its directory in :rampart.
\echo
\echo '== Personal data: a small model finds it, and texts are stored without it'
\echo
SELECT maskgen.create_model('rampart', :'rampart') IS NOT NULL AS created;

SELECT * FROM entities('rampart', 'My name is Maria Lopez and I live at 42 Elm Street, Boston.');

SELECT mask_entities('rampart', 'I am John Smith. Call +1 415 555 0134 or write to john.smith@example.com, the parcel never came to 12 Baker Street.') AS masked;

\echo 'Tickets that name people or places. A model of this size also takes order numbers for postal codes: choose the labels that matter.'
\echo
SELECT id, mask_entities('rampart', body, '{GIVEN_NAME,SURNAME,EMAIL,PHONE,STREET_NAME,CITY,STATE}') AS masked
FROM ticket WHERE mask_entities('rampart', body, '{GIVEN_NAME,SURNAME,EMAIL,PHONE,STREET_NAME,CITY,STATE}') <> body ORDER BY id;
