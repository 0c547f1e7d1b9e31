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
--> output_not_allowed
SELECT count(*) * 2 AS k, count(*) FROM person UNION ALL SELECT 2, count(*) FROM death
--> output_not_allowed
SELECT round(100.0 * count(*) FILTER (WHERE gender_concept_id = 8507) / count(*), 1) AS share FROM person
--> output_not_allowed
SELECT gender_concept_id, count(*) * 100 / sum(count(*)) OVER () AS share FROM person GROUP BY 1
--> output_not_allowed
SELECT (SELECT count(*) FROM person) * 1000 AS n
--> output_not_allowed
SELECT (SELECT count(*) FROM person) AS a, (SELECT count(*) FROM death) > 141 AS b
--> output_not_allowed
SELECT (SELECT count(*) FROM person) AS a, (SELECT max(year_of_birth) FROM person) AS b
--> output_not_allowed
SELECT (SELECT count(*) FROM person HAVING count(*) > 141) AS a
--> output_not_allowed
SELECT n + 1 AS n FROM (SELECT count(*) AS n FROM person) t
--> output_not_allowed
SELECT n, CASE WHEN n = 141 THEN 'yes' END AS answer FROM (SELECT count(*) AS n FROM death) t
--> person_not_found
SELECT n, count(*) AS m FROM (SELECT count(*) AS n FROM death) t GROUP BY n
--> output_not_allowed
SELECT n FROM (SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1) t GROUP BY n
--> grouping_not_allowed
SELECT n FROM (SELECT count(*) AS n FROM death) t WHERE n = 141
--> grouping_not_allowed
SELECT g, n FROM (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) t WHERE n BETWEEN 10 AND 11
--> grouping_not_allowed
SELECT g, n FROM (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) t WHERE n % 2 = 0
--> grouping_not_allowed
SELECT a.n, b.n AS m FROM (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) a
JOIN (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) b ON a.n = b.n
--> grouping_not_allowed
SELECT a.n, b.n AS m FROM (SELECT count(*) AS n FROM person) a, (SELECT count(*) AS n FROM death) b WHERE a.g = 1
--> not_linked_by_person
SELECT p.race_concept_id, t.n FROM person p JOIN (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) t ON t.g = p.gender_concept_id
--> identifier_misused
SELECT t.g, t.n FROM (SELECT gender_concept_id AS g, count(*) AS n FROM person GROUP BY 1) t JOIN concept c ON c.concept_id = t.g AND t.n > 141
--> output_not_allowed
SELECT n FROM (SELECT person_id, count(*) AS n FROM visit_occurrence GROUP BY person_id) t
--> output_not_allowed
SELECT n FROM (SELECT person_id AS who, count(*) AS n FROM visit_occurrence GROUP BY person_id) t
--> output_not_allowed
SELECT n FROM (SELECT count(*) AS n FROM person UNION ALL SELECT count(*) FROM death) t
--> too_deep
SELECT n FROM (SELECT n FROM (SELECT n FROM (SELECT n FROM (SELECT n FROM (SELECT count(*) AS n FROM person) a) b) c) d) e
--> grouping_not_allowed
SELECT count(*) FROM person INTERSECT SELECT count(*) FROM death
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 EXCEPT SELECT gender_concept_id, count(*) FROM person WHERE year_of_birth <> 1905 GROUP BY 1
--> grouping_not_allowed
(SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY 2 DESC LIMIT 1) UNION ALL SELECT 1, count(*) FROM person
--> grouping_not_allowed
SELECT 1, count(*) FROM person UNION ALL SELECT 1, 2, count(*) FROM person
--> output_not_allowed
SELECT count(*) FROM person UNION ALL SELECT year_of_birth FROM person
--> output_not_allowed
SELECT year_of_birth FROM person UNION ALL SELECT count(*) FROM person
--> output_not_allowed
SELECT 1 AS who, count(*) FROM person UNION ALL SELECT person_id, count(*) FROM person GROUP BY 1
--> grouping_not_allowed
SELECT value_as_number, count(*) FROM measurement GROUP BY 1 UNION ALL SELECT 1, count(*) FROM person
--> grouping_not_allowed
SELECT 0 AS n, count(*) FROM person <<UNION ALL SELECT 1, count(*) FROM person *12>>
--> grouping_not_allowed
SELECT 'a' AS n, count(*) FROM person UNION ALL SELECT 'b', count(*) FROM death ORDER BY 1 + 1 LIMIT 3
--> grouping_not_allowed
SELECT avg(year_of_birth) AS mean, count(*) FROM person
--> not_linked_by_person
SELECT p.year_of_birth = (SELECT max(q.year_of_birth) FROM person q) AS youngest, count(*) FROM person p GROUP BY 1
--> form_not_allowed
SELECT count(*) FROM person o WHERE EXISTS (SELECT 1 FROM person p WHERE p.person_id = o.person_id AND (p.year_of_birth = 1800 OR p.year_of_birth = 1905) IN (true))
--> form_not_allowed
SELECT count(*) FROM person o WHERE EXISTS (SELECT 1 FROM person p WHERE p.person_id = o.person_id AND (p.year_of_birth = 1800 OR p.year_of_birth = 1905) IS NOT NULL)
--> form_not_allowed
SELECT count(*) FROM person o WHERE EXISTS (SELECT 1 FROM person p WHERE p.person_id = o.person_id AND (p.year_of_birth = 1800 OR p.year_of_birth = 1905) BETWEEN true AND true)
--> form_not_allowed
SELECT count(*) FROM person o WHERE EXISTS (SELECT 1 FROM person p WHERE p.person_id = o.person_id AND (p.year_of_birth = 1800 OR p.year_of_birth = 1905) >= ALL (SELECT true))
--> output_not_allowed
SELECT sum(n) AS total FROM (SELECT gender_concept_id, count(*) AS n FROM person GROUP BY 1) t
--> output_not_allowed
WITH n AS (SELECT count(*) AS m FROM death) SELECT m > 141 AS many FROM n
--> output_not_allowed
SELECT (SELECT count(*) FROM person) AS a WHERE EXISTS (SELECT 1 FROM person WHERE year_of_birth = 1905)
