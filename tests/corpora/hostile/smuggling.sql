--> output_not_allowed
SELECT 1
--> output_not_allowed
SELECT
--> output_not_allowed
SELECT year_of_birth FROM person
--> output_not_allowed
SELECT person_id, year_of_birth FROM person
--> output_not_allowed
SELECT min(year_of_birth) AS count FROM person
--> output_not_allowed
SELECT max(value_as_number) FROM measurement
--> output_not_allowed
SELECT avg(value_as_number) AS "count" FROM measurement
--> output_not_allowed
SELECT sum(value_as_number) FROM measurement
--> output_not_allowed
SELECT count(*) * 1000 FROM person
--> output_not_allowed
SELECT count(*) + 1000 FROM person
--> output_not_allowed
SELECT -count(*) FROM person
--> output_not_allowed
SELECT CASE WHEN count(*) = 3 THEN 'yes' END FROM person
--> output_not_allowed
SELECT count(*) = 3 FROM person
--> output_not_allowed
SELECT coalesce(count(*), 0) FROM person
--> output_not_allowed
SELECT count(*)::text FROM person
--> output_not_allowed
SELECT count(*) OVER (PARTITION BY person_id) FROM person
--> output_not_allowed
SELECT sum(CASE WHEN year_of_birth = 1905 THEN 2 ELSE 0 END) FROM person
--> output_not_allowed
SELECT sum(CASE WHEN year_of_birth = 1905 THEN year_of_birth ELSE 0 END) FROM person
--> not_linked_by_person
SELECT (SELECT count(*) FROM person), count(*) FROM death GROUP BY 1
--> form_not_allowed
SELECT (SELECT year_of_birth FROM person), count(*) FROM death GROUP BY 1
--> not_linked_by_person
SELECT count(*) FROM person p JOIN (SELECT max(value_as_number) AS m FROM measurement) x ON x.m > p.year_of_birth
--> not_joined
SELECT count(*) FROM person p JOIN concept c ON c.concept_id <= p.year_of_birth
--> not_joined
SELECT gender_concept_id, count(*) FROM person p CROSS JOIN concept c GROUP BY 1
--> not_joined
SELECT count(*) FROM person, relationship
--> grouping_not_allowed
SELECT value_as_number, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT coalesce(value_as_number, 0) AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT CASE WHEN value_as_number > 0 THEN value_as_number ELSE 0 END AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT abs(value_as_number) AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT floor(value_as_number * 1000) AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT round(value_as_number, 6) AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT value_as_number::text AS v, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT measurement_date, count(*) FROM measurement GROUP BY measurement_date
--> grouping_not_allowed
SELECT CASE WHEN true THEN measurement_date ELSE DATE '2020-01-01' END AS d, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT max(measurement_date) AS d, count(*) FROM measurement
--> grouping_not_allowed
SELECT date_trunc('day', measurement_date) AS d, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT extract(epoch FROM measurement_date) AS d, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT min(gender_concept_id) AS g, count(*) FROM person GROUP BY person_id
--> grouping_not_allowed
SELECT row_number() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS n, count(*) FROM visit_occurrence GROUP BY 1
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY year_of_birth
--> grouping_not_allowed
SELECT gender_concept_id, race_concept_id, ethnicity_concept_id, year_of_birth, gender_source_concept_id, count(*) FROM person GROUP BY 1, 2, 3, 4, 5
--> grouping_not_allowed
SELECT count(*) AS a, <<count(*) FILTER (WHERE year_of_birth > 1900) AS a, *1>> count(year_of_birth), count(gender_concept_id), count(race_concept_id),
count(ethnicity_concept_id), count(gender_source_concept_id), count(race_source_concept_id) FROM person
--> star_not_allowed
SELECT x.*, count(*) FROM (SELECT person_id, gender_concept_id FROM person) x GROUP BY 1, 2
--> person_not_found
SELECT count(*) FROM concept
--> person_not_found
SELECT count(*) FROM (SELECT accession_id FROM image_occurrence) i
--> person_not_found
SELECT count(*) FROM (SELECT gender_concept_id, count(*) FROM person GROUP BY 1) x
--> name_not_allowed
SELECT accession_id, year_of_birth AS a, gender_concept_id AS a FROM image_occurrence JOIN person USING (person_id)
--> name_not_allowed
SELECT accession_id, year_of_birth + 1 FROM image_occurrence JOIN person USING (person_id)
--> output_not_allowed
SELECT accession_id, i.accession_id AS again FROM image_occurrence i
--> grouping_not_allowed
SELECT count(*) AS n FROM person GROUP BY person_id
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person p GROUP BY gender_concept_id, p.person_id
--> grouping_not_allowed
SELECT floor(measurement_date - DATE '2000-01-01') AS k, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT floor(extract(epoch FROM measurement_datetime) / 86400) AS k, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT extract(year FROM measurement_date) AS y, extract(month FROM measurement_date) AS m, floor(extract(day FROM measurement_date)) AS d, count(*) FROM measurement GROUP BY 1, 2, 3
--> grouping_not_allowed
SELECT extract(year FROM measurement_date) * 10000 + value_as_number AS k, count(*) FROM measurement GROUP BY 1
--> grouping_not_allowed
SELECT k, count(*) FROM (SELECT person_id, max(value_as_number) AS k FROM measurement GROUP BY person_id) x GROUP BY k
--> grouping_not_allowed
SELECT value_as_number::text || '' AS k, count(*) FROM measurement GROUP BY 1
