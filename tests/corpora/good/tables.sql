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
--> attrition as a union
SELECT 1 AS step, 'all' AS what, COUNT(*) AS n FROM omop.person
UNION ALL
SELECT 2, 'with CT', COUNT(DISTINCT person_id) FROM omop.image_occurrence WHERE modality_concept_id = 4300757
UNION ALL
SELECT 3, 'with CT and infarction', COUNT(DISTINCT i.person_id) FROM omop.image_occurrence i JOIN omop.condition_occurrence c ON c.person_id = i.person_id
WHERE i.modality_concept_id = 4300757 AND c.condition_concept_id = 312327
ORDER BY step
--> attrition of named steps
WITH base AS (SELECT DISTINCT person_id FROM image_occurrence),
old AS (SELECT b.person_id FROM base b JOIN person p ON p.person_id = b.person_id WHERE p.year_of_birth < 1960)
SELECT 'imaged' AS step, count(*) AS n FROM base UNION ALL SELECT 'imaged and old', count(*) FROM old ORDER BY n DESC LIMIT 10
--> counts in a union, without labels
SELECT count(*) AS n FROM person UNION SELECT count(DISTINCT person_id) FROM death
--> two tables in a union
SELECT 'sex' AS by, c.concept_name AS level, count(*) FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id GROUP BY c.concept_name
UNION ALL SELECT 'decade', (p.year_of_birth / 10 * 10)::text, count(*) FROM person p GROUP BY 2
--> several counts on one line
SELECT (SELECT count(*) FROM person) AS persons, (SELECT count(DISTINCT person_id) FROM image_occurrence) AS imaged,
(SELECT count(DISTINCT person_id) FROM condition_occurrence WHERE condition_concept_id = 312327) AS infarction
--> a label beside the counts of subqueries
SELECT 'all' AS cohort, (SELECT count(*) FROM person) AS n
--> count of a subquery
SELECT n FROM (SELECT count(*) AS n FROM person WHERE year_of_birth < 1950) t
--> names joined to counts
WITH counted AS (SELECT condition_concept_id, count(DISTINCT person_id) AS n FROM condition_occurrence GROUP BY condition_concept_id)
SELECT c.concept_name, t.n AS persons FROM counted t JOIN concept c ON c.concept_id = t.condition_concept_id
WHERE t.n >= 20 AND c.standard_concept = 'S' ORDER BY t.n DESC LIMIT 15
--> star of a with that counts
WITH t AS (SELECT gender_concept_id, count(*) AS n, count(*) FILTER (WHERE year_of_birth < 1950) AS old FROM person GROUP BY 1)
SELECT * FROM t ORDER BY n DESC
--> two subqueries side by side
SELECT a.n AS everybody, b.n AS dead FROM (SELECT count(*) AS n FROM person) a CROSS JOIN (SELECT count(*) AS n FROM death) b
--> a union read out
SELECT what, n FROM (SELECT 'dead' AS what, count(*) AS n FROM death UNION ALL SELECT 'imaged', count(DISTINCT person_id) FROM image_occurrence) t ORDER BY 2
--> grouping sets
SELECT gender_concept_id, race_concept_id, count(*) AS n FROM person GROUP BY GROUPING SETS ((gender_concept_id), (race_concept_id), ())
--> rollup
SELECT modality_concept_id, EXTRACT(YEAR FROM image_occurrence_date) AS year, count(DISTINCT person_id) FROM image_occurrence
GROUP BY ROLLUP (modality_concept_id, EXTRACT(YEAR FROM image_occurrence_date)) ORDER BY 1, 2
--> cube of places
SELECT gender_concept_id, race_concept_id, count(*) FROM person GROUP BY CUBE (1, 2)
--> truth as a key
SELECT p.gender_concept_id, p.year_of_birth < 1950 AS old, d.person_id IS NOT NULL AS dead, count(*) FROM person p
LEFT JOIN death d ON d.person_id = p.person_id GROUP BY 1, 2, 3
--> frequent visitors as a key
SELECT (SELECT count(*) FROM visit_occurrence v WHERE v.person_id = p.person_id) >= 3 AS frequent, count(*) FROM person p GROUP BY 1
--> existence as a key
SELECT EXISTS (SELECT 1 FROM image_occurrence i WHERE i.person_id = p.person_id) AS imaged, count(*) FROM person p GROUP BY 1
--> sums of truth
SELECT count(*) AS n, sum((year_of_birth < 1950)::int) AS old, sum((gender_concept_id = 8507 AND year_of_birth < 1950)::int) AS old_men FROM person
--> expression of a grouped column
SELECT CASE c.concept_name WHEN 'MALE' THEN 'M' ELSE 'F' END AS sex, count(*) FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id GROUP BY c.concept_name
--> label by concat
SELECT concat(CASE gender_concept_id WHEN 8507 THEN 'M' ELSE 'F' END, ' ', year_of_birth / 10 * 10) AS stratum, count(*) FROM person GROUP BY stratum
--> label with a separator
SELECT concat_ws('/', gender_concept_id, race_concept_id) AS stratum, count(*) FROM person GROUP BY 1
--> number beside text
SELECT (floor((2024 - year_of_birth) / 10) * 10)::int || '-' || (floor((2024 - year_of_birth) / 10) * 10 + 9)::int AS band, count(*) FROM person GROUP BY 1 ORDER BY 1
--> decade by mod
SELECT year_of_birth - mod(year_of_birth, 10) AS decade, count(*) FROM person GROUP BY 1
--> parts of names
SELECT initcap(split_part(replace(n.concept_name, '-', ' '), ' ', 1)) AS word, count(DISTINCT o.person_id) FROM condition_occurrence o
JOIN concept n ON n.concept_id = o.condition_concept_id GROUP BY 1
--> weeks
SELECT date_trunc('week', visit_start_date)::date AS week, count(DISTINCT person_id) FROM visit_occurrence WHERE visit_start_date >= to_date('2010-01-01', 'YYYY-MM-DD') GROUP BY 1
--> bands of a list
SELECT b.label, count(DISTINCT p.person_id) FROM person p JOIN (VALUES ('child', 2007, 2025), ('adult', 1960, 2006), ('old', 1900, 1959)) AS b(label, low, high)
ON p.year_of_birth BETWEEN b.low AND b.high GROUP BY b.label
--> bands of a with
WITH bins AS (SELECT '0-64' AS label, 0 AS low, 64 AS high UNION ALL SELECT '65+', 65, 150)
SELECT b.label, count(DISTINCT p.person_id) AS n FROM person p JOIN bins b ON 2024 - p.year_of_birth BETWEEN b.low AND b.high GROUP BY b.label
--> bands computed by lateral
SELECT a.band, count(*) FROM person p CROSS JOIN LATERAL (SELECT trunc((2024 - p.year_of_birth) / 10) * 10 AS band) a GROUP BY a.band
--> name of a column of a subquery
SELECT drug_name, count(DISTINCT person_id) AS n FROM drug_era JOIN (SELECT concept_id, concept_name AS drug_name FROM concept) i ON i.concept_id = drug_concept_id GROUP BY drug_name
--> a key named by a blank
SELECT gender_concept_id AS " ", count(*) FROM person GROUP BY 1
--> count of a condition or nothing
SELECT count(*) AS n, count(year_of_birth < 1950 OR NULL) AS old FROM person ORDER BY min(year_of_birth)
