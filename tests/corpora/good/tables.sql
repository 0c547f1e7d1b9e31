--> everybody
SELECT count(*) FROM person
--> distinct
SELECT count(DISTINCT person_id) AS people FROM condition_occurrence
--> by sex, largest first
SELECT gender_concept_id, count(*) FROM person GROUP BY gender_concept_id ORDER BY count(*) DESC
--> names
SELECT c.concept_name, count(DISTINCT p.person_id) AS n FROM person p
JOIN concept c ON c.concept_id = p.gender_concept_id GROUP BY c.concept_name
--> decade and sex
SELECT count(*), gender_concept_id, floor(year_of_birth / 10) AS d FROM person GROUP BY 2, d
--> age by decade
SELECT floor((2026 - year_of_birth) / 10) AS decade, count(*) FROM person GROUP BY decade
--> by year
SELECT extract(year FROM procedure_date), modifier_concept_id, count(*) FROM procedure_occurrence GROUP BY 1, 2
--> older or younger
SELECT count(*), CASE WHEN year_of_birth < 1960 THEN 'older' ELSE 'younger' END AS age FROM person GROUP BY age
--> of a with
WITH d AS (SELECT person_id FROM condition_occurrence) SELECT count(*) FROM d
--> the living
SELECT count(*) FROM person p LEFT JOIN death d ON d.person_id = p.person_id WHERE d.person_id IS NULL
--> top twenty
SELECT c.concept_name, COUNT(DISTINCT co.person_id) AS n FROM omop.condition_occurrence co
JOIN omop.concept c ON co.condition_concept_id = c.concept_id GROUP BY c.concept_name ORDER BY 2 DESC LIMIT 20
--> id and name
SELECT c.concept_name, count(*) FROM condition_occurrence o JOIN concept c ON c.concept_id = o.condition_concept_id
GROUP BY c.concept_id, c.concept_name HAVING count(*) >= 10 ORDER BY count(*) DESC
--> having more than ten persons
SELECT condition_concept_id, count(DISTINCT person_id) AS persons FROM condition_occurrence
GROUP BY condition_concept_id HAVING count(DISTINCT person_id) > 10 ORDER BY persons DESC
--> two counts
SELECT gender_concept_id, count(*) AS records, count(DISTINCT v.person_id) AS persons FROM visit_occurrence v JOIN person p ON p.person_id = v.person_id GROUP BY 1
--> filtered counts
SELECT year_of_birth / 10 * 10 AS decade, count(*) AS everybody, count(*) FILTER (WHERE gender_concept_id = 8507) AS men,
count(*) FILTER (WHERE gender_concept_id = 8532) AS women FROM person GROUP BY 1 ORDER BY 1
--> sums of flags
SELECT gender_concept_id, count(*) AS n, sum(CASE WHEN year_of_birth < 1950 THEN 1 ELSE 0 END) AS old FROM person GROUP BY gender_concept_id
--> distinct persons by case
SELECT count(DISTINCT CASE WHEN condition_concept_id = 312327 THEN person_id END) AS infarction,
count(DISTINCT person_id) AS everybody FROM condition_occurrence
--> dead among all
SELECT p.gender_concept_id, count(p.person_id), count(d.person_id) AS dead FROM person p LEFT JOIN death d ON d.person_id = p.person_id GROUP BY p.gender_concept_id
--> age bands
SELECT CASE WHEN age < 18 THEN '0-17' WHEN age BETWEEN 18 AND 64 THEN '18-64' ELSE '65+' END AS band, count(*)
FROM (SELECT person_id, 2024 - year_of_birth AS age FROM person) p GROUP BY 1 ORDER BY 1
--> modality by name
SELECT c.concept_name AS modality, count(DISTINCT i.person_id) FROM image_occurrence i JOIN concept c ON c.concept_id = i.modality_concept_id GROUP BY c.concept_name
--> visits per person
SELECT n AS visits, count(*) AS persons FROM (SELECT person_id, count(*) AS n FROM visit_occurrence GROUP BY person_id) v GROUP BY n ORDER BY n
--> months as text
SELECT to_char(visit_start_date, 'YYYY-MM') AS month, count(DISTINCT person_id) FROM visit_occurrence GROUP BY 1 ORDER BY 1
--> truncated
SELECT date_trunc('year', condition_start_date)::date AS year, count(DISTINCT person_id) FROM condition_occurrence GROUP BY date_trunc('year', condition_start_date)::date
--> year as a whole number
SELECT CAST(EXTRACT(YEAR FROM visit_start_date) AS int) AS year, count(*) FROM visit_occurrence GROUP BY CAST(EXTRACT(YEAR FROM visit_start_date) AS int)
--> histogram of values
SELECT floor(value_as_number / 10) * 10 AS from_value, count(DISTINCT person_id) FROM measurement WHERE measurement_concept_id = 3004249 GROUP BY 1
--> buckets
SELECT width_bucket(value_as_number, 80, 200, 12) AS bucket, count(*) FROM measurement WHERE measurement_concept_id = 3004249 GROUP BY bucket
--> of a group in a subquery
SELECT count(*) FROM (SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING count(*) >= 3) often
--> of a set operation
SELECT count(*) AS both FROM (SELECT person_id FROM condition_occurrence INTERSECT SELECT person_id FROM drug_exposure) x
--> age at the visit
SELECT EXTRACT(YEAR FROM v.visit_start_date) - p.year_of_birth AS age, count(DISTINCT p.person_id) FROM visit_occurrence v JOIN person p USING (person_id) GROUP BY 1
--> cast of a count
SELECT race_concept_id, count(*)::int AS n FROM person GROUP BY race_concept_id
--> count one
SELECT ethnicity_concept_id, COUNT(1) FROM person GROUP BY ethnicity_concept_id
--> constant label
SELECT 'all' AS who, count(*) FROM person
--> full join
SELECT count(*) FROM condition_occurrence c FULL JOIN drug_era d ON d.person_id = c.person_id
--> chapters
SELECT left(c.concept_code, 3) AS chapter, count(DISTINCT o.person_id) FROM condition_occurrence o JOIN concept c ON c.concept_id = o.condition_concept_id GROUP BY left(c.concept_code, 3)
--> by table row
SELECT drug_concept_id, count(drug_exposure_id) FROM drug_exposure GROUP BY drug_concept_id
--> distinct images
SELECT count(DISTINCT accession_id) FROM image_occurrence WHERE modality_concept_id = 4300757
--> with two levels
WITH ct AS (SELECT DISTINCT person_id FROM omop.image_occurrence WHERE modality_concept_id = 4300757),
aged AS (SELECT ct.person_id, floor((2020 - p.year_of_birth) / 20.0) * 20 AS band FROM ct JOIN omop.person p ON p.person_id = ct.person_id)
SELECT band, count(*) FROM aged GROUP BY band ORDER BY band
--> remainder
SELECT year_of_birth - year_of_birth % 10 AS decade, count(*) FROM person GROUP BY 1
--> bands as text
SELECT (floor((2024 - year_of_birth) / 10) * 10)::text || '-' || (floor((2024 - year_of_birth) / 10) * 10 + 9)::text AS band, count(*) FROM person GROUP BY 1
--> modulo
SELECT year_of_birth % 10 AS last_digit, count(*) FROM person GROUP BY year_of_birth % 10
--> months after the first visit
SELECT floor((m.measurement_date - v.first) / 30) AS month, count(*) FROM measurement m
JOIN (SELECT person_id, min(visit_start_date) AS first FROM visit_occurrence GROUP BY person_id) v ON v.person_id = m.person_id GROUP BY 1
