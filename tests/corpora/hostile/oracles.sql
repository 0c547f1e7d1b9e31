--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth * year_of_birth > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth * 2000000 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 / (year_of_birth - 1905) > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 / (CASE WHEN year_of_birth = 1905 THEN 0 ELSE 1 END) > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 % (year_of_birth - 1905) = 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth / 0.5 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 2147483647 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + '2147483647' > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE CASE WHEN year_of_birth = 1905 THEN 2147483647 ELSE 0 END + 1 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE coalesce(year_of_birth, 99999999) * 1000 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 1e300 > 0
--> constant_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::float8 * 1e-300 > 0
--> spelling_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 0xFFFFFFFFFF > 0
--> spelling_not_allowed
SELECT person_id FROM person WHERE year_of_birth > 1_950
--> constant_not_allowed
WITH a AS (SELECT person_id, year_of_birth + year_of_birth AS y FROM person), b AS (SELECT person_id, y + y AS y FROM a),
c AS (SELECT person_id, y + y AS y FROM b), d AS (SELECT person_id, y + y AS y FROM c), e AS (SELECT person_id, y + y AS y FROM d)
SELECT person_id FROM e WHERE y > 0
--> constant_not_allowed
WITH a AS (SELECT person_id, year_of_birth * 1000 AS y FROM person), b AS (SELECT person_id, y * 1000 AS y FROM a)
SELECT person_id FROM b WHERE y > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE extract(nonsense FROM '2020-01-01'::date) > 0
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date + interval '200000000 years' > death_date
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date - <<interval '99 years' - *18>> interval '99 years' > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date - (death_date - DATE '1900-01-01') * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE v.visit_start_date - p.year_of_birth * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE v.visit_start_date - age(v.visit_start_date, make_date(p.year_of_birth, 1, 1)) * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM measurement WHERE measurement_date + value_as_number::int > '2020-01-01'
--> constant_not_allowed
SELECT person_id FROM drug_exposure WHERE drug_exposure_start_date - days_supply * INTERVAL '99 years' < '2000-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE make_date(year_of_birth, 2, 30) > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE make_date(CASE WHEN year_of_birth = 1905 THEN 0 ELSE 1 END, 1, 1) > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE width_bucket(year_of_birth, 5, 5, 10) = 1
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE substring(n.concept_name, 1, c.condition_concept_id) = 'a'
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE substring(n.concept_name, 1, -5) = 'a'
--> type_not_allowed
SELECT person_id FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id WHERE concept_name::int4 = 1
--> type_not_allowed
SELECT person_id FROM person WHERE (CASE WHEN year_of_birth = 1905 THEN 'x' ELSE '1' END)::int = 1
--> type_not_allowed
SELECT person_id FROM person WHERE left(year_of_birth::text, 0)::int = 1
--> type_not_allowed
SELECT person_id FROM person WHERE year_of_birth::int2 > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::numeric(3, 2) > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE (value_as_number * 1000)::int > 0
--> constant_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::int * 1000 > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE (value_as_number / NULLIF(value_as_number - value_as_number, 0))::int > 0
--> form_not_allowed
SELECT person_id FROM person p WHERE (SELECT year_of_birth FROM person q WHERE q.person_id = p.person_id) = 1905
--> form_not_allowed
SELECT person_id FROM person p WHERE (SELECT concept_id FROM concept c WHERE c.concept_id >= p.year_of_birth) = 1905
--> form_not_allowed
SELECT person_id FROM person p WHERE year_of_birth <> ALL (SELECT d.person_id, d.death_date FROM death d WHERE d.person_id = p.person_id)
--> identifier_misused
SELECT person_id FROM person p WHERE person_id <> ALL (SELECT d.person_id FROM death d)
--> not_linked_by_person
SELECT person_id FROM person p WHERE year_of_birth <> ALL (SELECT year_of_birth FROM person)
--> not_linked_by_person
SELECT person_id FROM person WHERE person_id NOT IN (SELECT d.person_id FROM person p LEFT JOIN death d ON d.person_id = p.person_id WHERE p.year_of_birth = 1905)
--> not_linked_by_person
SELECT v.person_id FROM visit_occurrence v WHERE (v.visit_occurrence_id IN (SELECT m.visit_occurrence_id FROM measurement m WHERE m.value_as_number > 300)) IS NULL
--> not_linked_by_person
SELECT v.person_id FROM visit_occurrence v WHERE CASE WHEN v.visit_occurrence_id IN (SELECT visit_occurrence_id FROM measurement) THEN true ELSE false END
--> not_linked_by_person
SELECT person_id FROM person WHERE NOT (person_id IN (SELECT CASE WHEN year_of_birth > 1905 THEN person_id END FROM person))
--> limit_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM person ORDER BY year_of_birth LIMIT 10)
--> limit_not_allowed
SELECT count(*) FROM (SELECT person_id FROM person ORDER BY year_of_birth LIMIT 11) p
--> limit_not_allowed
SELECT person_id FROM person LIMIT (SELECT count(*) FROM death)
--> limit_not_allowed
SELECT person_id FROM person LIMIT CASE WHEN true THEN 10 ELSE 20 END
--> limit_not_allowed
SELECT person_id FROM person LIMIT NULL
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth LIMIT 1
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST ROW ONLY
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST 20 ROWS WITH TIES
--> limit_not_allowed
SELECT p.person_id FROM (SELECT person_id FROM person LIMIT 1) p
--> limit_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST 20 ROWS WITH TIES)
--> form_not_allowed
SELECT person_id FROM person OFFSET 3
--> form_not_allowed
SELECT person_id FROM person LIMIT 20 OFFSET 20
--> form_not_allowed
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM death OFFSET 141)
--> form_not_allowed
SELECT person_id FROM person WHERE CASE WHEN year_of_birth = 1905 THEN (SELECT concept_id FROM concept) ELSE 0 END = 0
--> form_not_allowed
SELECT person_id FROM person WHERE year_of_birth = 1905 AND gender_concept_id = (SELECT concept_id FROM concept WHERE domain_id = 'Gender')
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE CASE WHEN p.year_of_birth = 1905 THEN extract(hour FROM v.visit_start_date) ELSE 0 END = 0
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE extract(dow FROM age(visit_end_date, visit_start_date)) = 0
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE date_trunc('week', visit_end_datetime - visit_start_datetime) IS NULL
--> constant_not_allowed
SELECT person_id FROM drug_exposure WHERE days_supply * INTERVAL '99 years' > INTERVAL '1 year'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING sum(age(visit_end_date, visit_start_date)) > INTERVAL '1 year'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING avg(coalesce(visit_end_datetime - visit_start_datetime, INTERVAL '1 day')) > INTERVAL '2 days'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING sum(INTERVAL '99 years') > INTERVAL '2 days'
--> constant_not_allowed
SELECT person_id FROM measurement WHERE round(value_as_number, 100000) = 1
--> type_not_allowed
SELECT person_id FROM person WHERE year_of_birth || '' = '1905'
