--> table_not_allowed
SELECT person_id FROM pg_catalog.pg_stats
--> table_not_allowed
SELECT person_id FROM information_schema.tables
--> table_not_allowed
SELECT person_id FROM pg_stat_activity
--> table_not_allowed
SELECT person_id FROM pg_authid
--> table_not_allowed
SELECT count(*) FROM pg_class
--> table_not_allowed
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM pg_stats WHERE tablename = 'person')
--> table_not_allowed
SELECT person_id FROM person p JOIN pg_roles r ON true
--> table_not_allowed
SELECT person_id FROM other.person
--> table_not_allowed
SELECT person_id FROM pg_temp.person
--> form_not_allowed
SELECT person_id FROM postgres.omop.person
--> table_not_allowed
SELECT person_id FROM "OMOP".person
--> table_not_allowed
SELECT person_id FROM "Person"
--> table_not_allowed
SELECT person_id FROM location
--> table_not_allowed
SELECT person_id FROM provider
--> table_not_allowed
SELECT person_id FROM cohort
--> table_not_allowed
SELECT person_id FROM note_nlp
--> table_not_allowed
SELECT person_id FROM metadata
--> table_not_allowed
WITH a AS (SELECT person_id FROM b), b AS (SELECT person_id FROM person) SELECT person_id FROM a
--> name_not_allowed
WITH person AS (SELECT person_id FROM death) SELECT person_id FROM person
--> name_not_allowed
WITH concept AS (SELECT 1 AS concept_id) SELECT person_id FROM person
--> name_not_allowed
WITH a AS (SELECT person_id FROM person), a AS (SELECT person_id FROM death) SELECT person_id FROM a
--> form_not_allowed
WITH RECURSIVE r AS (SELECT person_id FROM person) SELECT person_id FROM r
--> form_not_allowed
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT person_id FROM person, r
--> column_not_allowed
SELECT ctid FROM person
--> column_not_allowed
SELECT person_id FROM person WHERE xmin IS NOT NULL
--> column_not_allowed
SELECT person_id FROM person WHERE tableoid = 1
--> column_not_allowed
SELECT person_id FROM person WHERE cmax IS NULL
--> column_not_allowed
SELECT p FROM person p
--> column_not_allowed
SELECT p::text FROM person p
--> column_not_allowed
SELECT count(p) FROM person p
--> column_not_allowed
SELECT person_id FROM person p WHERE p IS NOT NULL
--> column_not_allowed
SELECT person_id FROM person p ORDER BY p
--> column_not_allowed
SELECT person_id FROM person p WHERE person IS NOT NULL
--> form_not_allowed
SELECT (p).person_source_value FROM person p
--> form_not_allowed
SELECT ROW(person_id, year_of_birth) FROM person
--> form_not_allowed
SELECT (person_id, year_of_birth) FROM person
--> form_not_allowed
SELECT person_id FROM person WHERE (year_of_birth, gender_concept_id) = (1905, 8507)
--> star_not_allowed
TABLE person
--> star_not_allowed
SELECT * FROM person
--> star_not_allowed
SELECT p.* FROM person p
--> star_not_allowed
SELECT * FROM image_occurrence
--> star_not_allowed
SELECT *, count(*) FROM person
--> star_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT * FROM person)
--> star_not_allowed
SELECT person_id FROM (SELECT * FROM person UNION SELECT * FROM death) x
--> column_not_allowed
SELECT person_id FROM (SELECT * FROM person) p WHERE birth_datetime < '1950-01-01'
--> column_not_allowed
SELECT x.person_source_value FROM (SELECT p.* FROM person p) x
--> form_not_allowed
SELECT person_id FROM person p(person_id, b, c)
--> form_not_allowed
SELECT p.person_id FROM person AS p(person_source_value, person_id)
--> form_not_allowed
SELECT person_id FROM person NATURAL JOIN death
--> form_not_allowed
SELECT person_id FROM person TABLESAMPLE SYSTEM (1)
--> form_not_allowed
SELECT person_id FROM ONLY (person) WHERE person_id[1] = 1
--> output_not_allowed
VALUES (1)
--> identifier_misused
SELECT person_id FROM person WHERE person_id IN (VALUES (1905))
--> output_not_allowed
SELECT person_id FROM (VALUES (1)) AS v(person_id)
--> form_not_allowed
SELECT gender_concept_id, grouping(gender_concept_id) AS g, count(*) FROM person GROUP BY GROUPING SETS (gender_concept_id, ())
--> grouping_not_allowed
SELECT gender_concept_id, year_of_birth, race_concept_id, count(*) FROM person GROUP BY CUBE (1, 2, 3)
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY ROLLUP (gender_concept_id, person_id)
--> star_not_allowed
SELECT person_id FROM person p WHERE p.* IS NOT NULL
--> star_not_allowed
SELECT count(p.*) FROM person p
--> column_not_allowed
SELECT other.person.person_id FROM person
--> name_not_allowed
WITH w(a, b) AS (SELECT person_id FROM person) SELECT a FROM w
--> name_not_allowed
SELECT x.person_id FROM (SELECT p.person_id, d.person_id FROM person p JOIN death d ON d.person_id = p.person_id) x
--> form_not_allowed
SELECT person_id FROM person UNION SELECT person_id, accession_id FROM image_occurrence
--> name_not_allowed
SELECT x.g FROM (SELECT gender_concept_id AS provider_note FROM person GROUP BY provider_note) x(g)
--> form_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT person_id, accession_id FROM image_occurrence)
--> form_not_allowed
SELECT person_id FROM person p WHERE (SELECT max(d.death_date), min(d.death_date) FROM death d WHERE d.person_id = p.person_id) IS NULL
