--> function_not_allowed
SELECT pg_read_file('/etc/passwd')
--> function_not_allowed
SELECT person_id FROM person WHERE pg_ls_dir('/') IS NOT NULL
--> function_not_allowed
SELECT person_id FROM person WHERE pg_sleep(9) IS NULL
--> function_not_allowed
SELECT person_id FROM person ORDER BY set_config('a', 'b', false)
--> function_not_allowed
SELECT person_id FROM person WHERE current_setting('is_superuser') = 'on'
--> function_not_allowed
SELECT query_to_xml('select 1', true, true, '')
--> function_not_allowed
SELECT table_to_xml('person', true, true, '')
--> function_not_allowed
SELECT ts_stat('select 1')
--> function_not_allowed
SELECT ts_rewrite('a'::text, 'select 1')
--> function_not_allowed
SELECT dblink('x', 'y')
--> function_not_allowed
SELECT lo_import('/etc/passwd')
--> function_not_allowed
SELECT person_id FROM person WHERE random() < 0.5
--> function_not_allowed
SELECT person_id FROM person WHERE floor(*) = 1
--> function_not_allowed
SELECT person_id FROM person WHERE date_trunc(*) = 1
--> function_not_allowed
SELECT evil.count(person_id) FROM person
--> function_not_allowed
SELECT person_id FROM person WHERE public.lower('a') = 'a'
--> function_not_allowed
SELECT array_agg(person_id) FROM person
--> output_not_allowed
SELECT string_agg(DISTINCT concept_name, ',') FROM concept
--> function_not_allowed
SELECT json_agg(p) FROM person p
--> function_not_allowed
SELECT row_to_json(p) FROM person p
--> function_not_allowed
SELECT to_jsonb(p) FROM person p
--> function_not_allowed
SELECT person_source_value(p) FROM person p
--> function_not_allowed
SELECT person_id FROM person p WHERE birth_datetime(p) IS NOT NULL
--> function_not_allowed
SELECT person_id FROM person WHERE pg_cancel_backend(1)
--> function_not_allowed
SELECT person_id FROM person WHERE pg_advisory_lock(1) IS NULL
--> function_not_allowed
SELECT person_id FROM person WHERE nextval('s') > 1
--> function_not_allowed
SELECT person_id FROM person WHERE has_table_privilege('person', 'select')
--> function_not_allowed
SELECT person_id FROM person WHERE version() LIKE 'P%'
--> function_not_allowed
SELECT person_id FROM person WHERE inet_server_addr() IS NULL
--> function_not_allowed
SELECT person_id FROM person WHERE repeat('x', 1000000000) = 'x'
--> function_not_allowed
SELECT person_id FROM person WHERE lpad('x', 1000000000) = 'x'
--> function_not_allowed
SELECT person_id FROM person WHERE md5(year_of_birth::text) = 'x'
--> function_not_allowed
SELECT count(*) FROM person WHERE ascii('a') = 97
--> function_not_allowed
SELECT person_id FROM person WHERE sqrt(year_of_birth - 1950) > 1
--> function_not_allowed
SELECT person_id FROM person WHERE ln(year_of_birth - 1950) > 1
--> constant_not_allowed
SELECT person_id FROM person WHERE power(year_of_birth, 100) > 1
--> function_not_allowed
SELECT person_id FROM person WHERE pg_notify('a', 'b') IS NULL
--> function_not_allowed
SELECT person_id FROM person WHERE txid_current() > 1
--> function_not_allowed
SELECT mode() FROM person
--> function_not_allowed
SELECT person_id FROM person WHERE row_number() = 1
--> function_not_allowed
SELECT person_id FROM person WHERE regexp_replace('a', '(a+)+', 'b') = 'b'
--> function_not_allowed
SELECT person_id FROM measurement WHERE to_number('x', '9') > 1
--> form_not_allowed
SELECT person_id FROM person, generate_series(1, 9)
--> form_not_allowed
SELECT person_id FROM ROWS FROM (pg_ls_dir('/')) AS person(person_id)
--> form_not_allowed
SELECT xmlelement(name a, person_id) FROM person
--> form_not_allowed
SELECT person_id FROM person WHERE current_user = 'x'
--> form_not_allowed
SELECT person_id FROM person WHERE session_user = 'postgres'
--> form_not_allowed
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY year_of_birth) FROM person
--> form_not_allowed
SELECT person_id FROM person WHERE year_of_birth = $1
--> form_not_allowed
SELECT person_id FROM person WHERE concept_name COLLATE "C" = 'a'
--> form_not_allowed
SELECT JSON_OBJECT('a': person_id) FROM person
--> type_not_allowed
SELECT person_id FROM person WHERE 'pg_authid'::regclass IS NULL
--> type_not_allowed
SELECT person_id FROM person WHERE 'x'::xml IS NULL
--> type_not_allowed
SELECT person_id FROM person WHERE '{"a":1}'::jsonb IS NULL
--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth OPERATOR(pg_catalog.=) 1
--> operator_not_allowed
SELECT p.person_id FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id WHERE c.concept_name ~ '(a+)+$'
--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth ^ 9 > 1
--> operator_not_allowed
SELECT person_id FROM person WHERE |/ year_of_birth > 1
--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth & 1 = 1
--> operator_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name SIMILAR TO '(a|b)*'
--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth < ANY (ARRAY[1950])
--> form_not_allowed
SELECT person_id FROM person WHERE year_of_birth = ANY (ARRAY(SELECT year_of_birth FROM person))
