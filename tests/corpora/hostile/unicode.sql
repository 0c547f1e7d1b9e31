--> bad_character
SELECT person_id<u0000> FROM person
--> bad_character
SELECT person_id FROM per<u200b>son
--> bad_character
SELECT person_id FROM person WHERE <ud800> = 1
--> bad_character
SELECT person_id<u00a0>FROM person
--> bad_character
SELECT person_id FROM person -- <u202e>nosrep
--> bad_character
SELECT person_id FROM person<u2028>DROP TABLE person
--> bad_character
<ufeff>SELECT person_id FROM person
--> bad_character
SELECT person_id FROM person WHERE concept_name = 'a<u0008>b'
--> bad_character
SELECT person_id FROM person<u001b>[2K
--> bad_character
SELECT pers<u00ad>on_id FROM person
--> bad_character
SELECT person_id FROM person<u2060>
--> bad_character
SELECT person_id FROM person<u000c>
--> bad_character
SELECT person_id FROM person<u0085>
--> spelling_not_allowed
SELECT person_id FROM U&"p\0067_authid"
--> spelling_not_allowed
SELECT person_id FROM U&"\0070erson"
--> spelling_not_allowed
SELECT U&"person!005fsource!005fvalue" UESCAPE '!' FROM person
--> spelling_not_allowed
SELECT person_id FROM person WHERE concept_name = U&'\0041'
--> spelling_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name = E'a\'b'
--> spelling_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name = e'x'
--> spelling_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name = $$x$$
--> spelling_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name = $tag$'; DROP TABLE person; --$tag$
--> spelling_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name = 'a\' OR true --'
--> column_not_allowed
SELECT реrson_id FROM person
--> table_not_allowed
SELECT person_id FROM реrson
--> table_not_allowed
SELECT person_id FROM pérson
--> column_not_allowed
SELECT person_id FROM person WHERE "Person_ID" = 5
--> table_not_allowed
SELECT person_id FROM оmop.person
--> syntax
ＳＥＬＥＣＴ person_id FROM person
--> column_not_allowed
SELECT person_id FROM person WHERE "year_of_birth " = 1
--> column_not_allowed
SELECT "ctid" FROM person
--> function_not_allowed
SELECT person_id FROM person WHERE "PG_SLEEP"(1) IS NULL
--> function_not_allowed
SELECT person_id FROM person WHERE pg_catalog."pg_sleep"(1) IS NULL
--> function_not_allowed
SELECT person_id FROM person WHERE pg_sleep/* hidden */(1) IS NULL
