--> column_not_allowed
SELECT person_source_value FROM person
--> column_not_allowed
SELECT count(*) FROM person WHERE birth_datetime < '1950-01-01'
--> column_not_allowed
SELECT count(*) FROM person WHERE day_of_birth = 3
--> column_not_allowed
SELECT month_of_birth, count(*) FROM person GROUP BY 1
--> column_not_allowed
SELECT person_id FROM note WHERE note_text LIKE '%Smith%'
--> column_not_allowed
SELECT wadors_uri FROM image_occurrence
--> column_not_allowed
SELECT i.local_path FROM image_occurrence i
--> column_not_allowed
SELECT image_study_uid FROM image_occurrence
--> column_not_allowed
SELECT accession_id, image_series_uid FROM image_occurrence
--> column_not_allowed
SELECT count(*) FROM observation WHERE value_as_string = 'x'
--> column_not_allowed
SELECT count(*) FROM condition_occurrence WHERE condition_source_value = 'x'
--> column_not_allowed
SELECT person_id FROM person ORDER BY person_source_value
--> column_not_allowed
SELECT count(DISTINCT person_source_value) FROM person
--> column_not_allowed
SELECT person_id FROM person GROUP BY person_id, gender_source_value
--> column_not_allowed
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM death WHERE cause_source_value IS NOT NULL)
--> column_not_allowed
SELECT person_id FROM person WHERE provider_id = 3
--> column_not_allowed
SELECT person_id FROM person WHERE location_id = 3
--> column_not_allowed
SELECT p.person_id FROM person p JOIN death d USING (person_id) WHERE p.death_date > '2010-01-01'
--> name_not_allowed
SELECT count(*) FROM person p, (SELECT 1 AS nhs_number) x WHERE nhs_number = 5
--> name_not_allowed
SELECT count(*) FROM (SELECT 1905 AS person_source_value) x, person WHERE person_source_value = 5
--> name_not_allowed
WITH x AS (SELECT person_id, year_of_birth AS nhs_number FROM person)
SELECT person_id FROM x WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = x.person_id AND nhs_number = 1)
--> identifier_misused
SELECT count(*) FROM person WHERE person_id = 5
--> identifier_misused
SELECT count(*) FROM person WHERE person_id <> 5
--> identifier_misused
SELECT count(*) FROM person WHERE 5 = person_id
--> identifier_misused
SELECT person_id FROM person WHERE person_id IN (1, 2)
--> identifier_misused
SELECT person_id FROM person WHERE person_id NOT IN (1, 2)
--> identifier_misused
SELECT person_id FROM person WHERE person_id BETWEEN 1 AND 9
--> identifier_misused
SELECT person_id FROM person WHERE person_id > 100
--> identifier_misused
SELECT person_id FROM person WHERE person_id % 2 = 0
--> identifier_misused
SELECT person_id FROM person WHERE person_id + 0 = 5
--> identifier_misused
SELECT person_id FROM person WHERE -person_id = -5
--> identifier_misused
SELECT person_id FROM person WHERE person_id::text LIKE '1%'
--> identifier_misused
SELECT person_id FROM person WHERE CAST(person_id AS int8) = 1
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE accession_id LIKE 'A%'
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE accession_id = 'ACC1'
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE accession_id < 'B'
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE left(accession_id, 3) = 'ACC'
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE accession_id || 'x' = 'ACC1x'
--> identifier_misused
SELECT accession_id FROM image_occurrence WHERE lower(accession_id) = 'acc1'
--> identifier_misused
SELECT person_id FROM person WHERE coalesce(person_id, 0) = 5
--> identifier_misused
SELECT person_id FROM person WHERE nullif(person_id, 5) IS NULL
--> identifier_misused
SELECT person_id FROM person WHERE greatest(person_id, 5) = 5
--> identifier_misused
SELECT person_id FROM person WHERE CASE person_id WHEN 5 THEN true ELSE false END
--> identifier_misused
SELECT person_id FROM person WHERE CASE WHEN true THEN person_id ELSE 5 END = 5
--> identifier_misused
SELECT person_id FROM person WHERE person_id IS NOT DISTINCT FROM 5
--> identifier_misused
SELECT s.x FROM (SELECT person_id AS x FROM person) s WHERE s.x = 5
--> identifier_misused
WITH w AS (SELECT person_id AS year_of_birth FROM person) SELECT year_of_birth FROM w WHERE year_of_birth = 5
--> identifier_misused
SELECT p.person_id FROM person p JOIN (SELECT 5 AS person_id) k USING (person_id)
--> identifier_misused
SELECT p.person_id FROM person p JOIN (SELECT 5 AS person_id) k ON k.person_id = p.person_id
--> identifier_misused
SELECT person_id FROM person WHERE person_id = year_of_birth
--> identifier_misused
SELECT person_id FROM person WHERE person_id IN (SELECT 5)
--> identifier_misused
SELECT person_id FROM person WHERE person_id IN (SELECT concept_id FROM concept)
--> identifier_misused
SELECT person_id FROM person WHERE person_id = ANY (ARRAY[5])
--> identifier_misused
SELECT person_id FROM person WHERE person_id = (SELECT min(person_id) FROM person)
--> identifier_misused
SELECT max(person_id) FROM person
--> identifier_misused
SELECT person_id FROM visit_occurrence WHERE visit_occurrence_id = 7
--> identifier_misused
SELECT person_id FROM visit_occurrence WHERE visit_occurrence_id < person_id
--> identifier_misused
SELECT person_id FROM image_feature WHERE image_feature_event_id = person_id
--> identifier_misused
SELECT a.person_id FROM person a JOIN death b ON a.person_id = b.person_id AND a.person_id < b.person_id
--> identifier_misused
SELECT u.person_id FROM (SELECT person_id FROM death UNION SELECT 5) u
--> identifier_misused
SELECT person_id FROM person EXCEPT SELECT 5
--> identifier_misused
SELECT person_id FROM person UNION SELECT concept_id FROM concept
--> identifier_misused
SELECT person_id FROM person p WHERE person_id IN (SELECT p.person_id FROM measurement m WHERE m.value_as_number > 300)
--> identifier_misused
SELECT person_id FROM person WHERE sum(person_id) > 5
--> identifier_misused
SELECT person_id FROM person WHERE (person_id, year_of_birth) IN (SELECT concept_id, concept_id FROM concept)
--> output_not_allowed
SELECT person_id, count(*) FROM visit_occurrence GROUP BY person_id
--> output_not_allowed
SELECT CASE WHEN year_of_birth = 1905 THEN person_id END AS k, count(*) FROM person GROUP BY 1
--> output_not_allowed
SELECT visit_occurrence_id, count(*) FROM visit_occurrence GROUP BY 1
--> output_not_allowed
SELECT accession_id, visit_occurrence_id FROM image_occurrence
--> output_not_allowed
SELECT person_id, person_id FROM person
--> output_not_allowed
SELECT procedure_occurrence_id FROM procedure_occurrence
--> identifier_misused
SELECT person_id FROM person GROUP BY person_id HAVING count(*) FILTER (WHERE person_id) > 1
--> identifier_misused
SELECT person_id FROM person p WHERE (SELECT d.person_id FROM death d WHERE d.person_id = p.person_id LIMIT 1) IS NULL
