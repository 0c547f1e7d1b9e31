--> drug within thirty days of a diagnosis
SELECT d.person_id FROM drug_exposure d JOIN condition_occurrence c ON c.person_id = d.person_id
AND d.drug_exposure_start_date BETWEEN c.condition_start_date AND c.condition_start_date + interval '30 days'
--> first diagnosis as index date
WITH first_diagnosis AS (
  SELECT person_id, min(condition_start_date) AS index_date FROM omop.condition_occurrence
  WHERE condition_concept_id = 312327 GROUP BY person_id
)
SELECT f.person_id FROM first_diagnosis f JOIN omop.drug_exposure d ON d.person_id = f.person_id
WHERE d.drug_exposure_start_date BETWEEN f.index_date AND f.index_date + 30
--> chained with
WITH dx AS (SELECT person_id, min(condition_start_date) AS index_date FROM condition_occurrence GROUP BY person_id),
adults AS (SELECT dx.person_id, dx.index_date FROM dx JOIN person p ON p.person_id = dx.person_id
  WHERE EXTRACT(YEAR FROM dx.index_date) - p.year_of_birth >= 18),
treated AS (SELECT a.person_id FROM adults a JOIN drug_exposure d ON d.person_id = a.person_id
  WHERE d.drug_exposure_start_date > a.index_date)
SELECT DISTINCT person_id FROM treated
--> two occurrences thirty days apart
SELECT DISTINCT a.person_id FROM condition_occurrence a JOIN condition_occurrence b ON a.person_id = b.person_id
WHERE b.condition_start_date - a.condition_start_date >= 30 AND a.condition_concept_id = b.condition_concept_id
--> two different records
SELECT DISTINCT a.person_id FROM measurement a JOIN measurement b ON a.person_id = b.person_id
AND a.measurement_id < b.measurement_id AND a.measurement_date <> b.measurement_date
WHERE a.measurement_concept_id = 3004249 AND b.measurement_concept_id = 3004249
--> no prior diagnosis
SELECT c.person_id FROM condition_occurrence c WHERE c.condition_concept_id = 312327 AND NOT EXISTS (
  SELECT 1 FROM condition_occurrence prior WHERE prior.person_id = c.person_id
  AND prior.condition_start_date < c.condition_start_date AND prior.condition_concept_id = c.condition_concept_id)
--> a year of observation before
SELECT c.person_id FROM condition_occurrence c JOIN observation_period o ON o.person_id = c.person_id
AND c.condition_start_date BETWEEN o.observation_period_start_date + INTERVAL '365 days' AND o.observation_period_end_date
--> admissions of a year
SELECT person_id FROM visit_occurrence WHERE visit_start_date >= DATE '2010-01-01' AND visit_start_date < DATE '2020-01-01' - INTERVAL '1 year'
--> standard interval
SELECT person_id FROM visit_occurrence WHERE visit_end_date > visit_start_date + INTERVAL '1' DAY
--> cast of a date
SELECT person_id FROM condition_occurrence WHERE condition_start_date >= '2015-06-01'::date AND condition_start_date < CAST('2018-06-01' AS date)
--> today
SELECT person_id FROM person WHERE EXTRACT(YEAR FROM CURRENT_DATE) - year_of_birth BETWEEN 18 AND 65
--> last two years
SELECT person_id FROM visit_occurrence WHERE visit_start_date > CURRENT_DATE - INTERVAL '20 years'
--> now
SELECT person_id FROM visit_occurrence WHERE visit_start_date < now()
--> age with a made date
SELECT p.person_id FROM person p JOIN visit_occurrence v ON v.person_id = p.person_id
WHERE EXTRACT(YEAR FROM AGE(v.visit_start_date, make_date(p.year_of_birth, 7, 1))) >= 65
--> overlap of visits
SELECT DISTINCT a.person_id FROM visit_occurrence a JOIN visit_occurrence b ON a.person_id = b.person_id
AND a.visit_occurrence_id <> b.visit_occurrence_id AND a.visit_start_date <= b.visit_end_date AND b.visit_start_date <= a.visit_end_date
--> overlaps
SELECT v.person_id FROM visit_occurrence v JOIN drug_exposure d ON d.person_id = v.person_id
WHERE (v.visit_start_date, v.visit_end_date) OVERLAPS (d.drug_exposure_start_date, d.drug_exposure_end_date)
--> readmission within thirty days
SELECT DISTINCT person_id FROM (
  SELECT person_id, visit_start_date, lag(visit_end_date) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS before
  FROM visit_occurrence) v WHERE visit_start_date - before <= 30
--> named window
SELECT w.person_id FROM (SELECT v.person_id, rank() OVER each AS place, first_value(v.visit_concept_id) OVER each AS first
FROM visit_occurrence v WINDOW each AS (PARTITION BY v.person_id ORDER BY v.visit_start_date)) w WHERE w.place = 2 AND w.first = 9202
--> star of a table beside a rank
SELECT person_id FROM (SELECT m.*, ROW_NUMBER() OVER (PARTITION BY m.person_id ORDER BY m.measurement_date DESC) AS rn
FROM measurement m WHERE m.measurement_concept_id = 3004249) last WHERE rn = 1 AND value_as_number > 140
--> star of a table in a with
WITH ct AS (SELECT * FROM omop.image_occurrence WHERE modality_concept_id = 4300757)
SELECT ct.person_id, ct.accession_id FROM ct JOIN omop.person p ON p.person_id = ct.person_id WHERE p.year_of_birth > 1940
--> length of stay
SELECT person_id FROM visit_occurrence WHERE visit_end_date - visit_start_date > 7
--> supply
SELECT person_id FROM drug_exposure WHERE drug_exposure_start_date + days_supply > drug_exposure_end_date
--> supply as an interval
SELECT person_id FROM drug_exposure WHERE drug_exposure_start_date + days_supply * INTERVAL '1 day' > DATE '2010-01-01'
--> the tuple of the first
SELECT c.person_id FROM condition_occurrence c WHERE (c.person_id, c.condition_start_date) IN
(SELECT person_id, min(condition_start_date) FROM condition_occurrence GROUP BY person_id)
--> death within a year
SELECT c.person_id FROM condition_occurrence c JOIN death d USING (person_id)
WHERE d.death_date BETWEEN c.condition_start_date AND c.condition_start_date + INTERVAL '12 months'
--> weekend
SELECT person_id FROM visit_occurrence WHERE EXTRACT(dow FROM visit_start_date) IN (0, 6)
--> year by date_part
SELECT person_id FROM procedure_occurrence WHERE date_part('year', procedure_date) = 2012
--> start of the month
SELECT person_id FROM measurement WHERE date_trunc('month', measurement_date) = DATE '2012-03-01'
--> era
SELECT person_id FROM drug_era WHERE drug_era_end_date - drug_era_start_date >= 90 AND drug_exposure_count >= 3
--> three in a year
SELECT e.person_id FROM (SELECT person_id, EXTRACT(year FROM condition_era_start_date) AS y, count(*) AS n FROM condition_era
GROUP BY person_id, y) e WHERE e.n >= 3
--> with column names
WITH idx(person_id, index_date) AS (SELECT person_id, max(visit_start_date) FROM visit_occurrence GROUP BY person_id)
SELECT i.person_id FROM idx i WHERE i.index_date >= '2005-01-01'
--> a study window that is named
WITH study AS (SELECT DATE '2000-01-01' AS opens, DATE '2020-12-31' AS closes)
SELECT v.person_id FROM visit_occurrence v CROSS JOIN study s WHERE v.visit_start_date BETWEEN s.opens AND s.closes
--> days by epoch
SELECT person_id FROM visit_occurrence WHERE EXTRACT(epoch FROM visit_end_datetime - visit_start_datetime) / 3600 > 48
--> the next and the last visit
SELECT person_id FROM (SELECT person_id, lead(visit_start_date, 1) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS next,
visit_end_date, dense_rank() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS place, last_value(visit_concept_id) OVER (PARTITION BY person_id
ORDER BY visit_start_date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM visit_occurrence) v
WHERE next - visit_end_date < 30 AND place <= 3 AND last = 9202
--> a time of the day
SELECT person_id FROM visit_occurrence WHERE visit_start_datetime >= TIMESTAMP '2010-01-01 08:00' AND visit_start_datetime < '2020-01-01'::timestamptz
--> span between the first and the last
SELECT p.person_id FROM person p WHERE (SELECT max(c.condition_start_date) - min(c.condition_start_date) FROM condition_occurrence c WHERE c.person_id = p.person_id) > 365
--> admitted at night
SELECT person_id FROM visit_occurrence WHERE extract(hour FROM visit_start_datetime) < 6
--> span of a group
SELECT person_id FROM measurement GROUP BY person_id HAVING max(measurement_date) - min(measurement_date) >= 180 AND count(DISTINCT measurement_date) > 2
--> mean stay
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING avg(visit_end_date - visit_start_date) > 2
--> a name of the query's own inside of a subquery
WITH idx AS (SELECT person_id, min(condition_start_date) AS index_date FROM omop.condition_occurrence GROUP BY person_id)
SELECT person_id FROM idx WHERE EXISTS (SELECT 1 FROM omop.drug_exposure d WHERE d.person_id = idx.person_id AND d.drug_exposure_start_date > index_date)
--> the latest of all
SELECT a.person_id FROM condition_occurrence a WHERE a.condition_start_date >= ALL
(SELECT b.condition_start_date FROM condition_occurrence b WHERE b.person_id = a.person_id)
--> minutes by epoch
SELECT person_id FROM visit_occurrence WHERE EXTRACT(EPOCH FROM (visit_end_datetime - visit_start_datetime)) / 60 BETWEEN 0 AND 60
--> minutes and months as intervals
SELECT person_id FROM visit_occurrence WHERE visit_end_datetime <= visit_start_datetime + INTERVAL '90 minutes' OR visit_start_date < CURRENT_DATE - INTERVAL '1 year 6 months'
--> a date without dashes
SELECT person_id FROM visit_occurrence WHERE visit_start_date >= CAST('20100101' AS DATE)
