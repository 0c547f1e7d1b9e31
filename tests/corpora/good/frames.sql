--> findings as columns
WITH findings AS (
  SELECT f.person_id, f.image_occurrence_id, o.value_as_concept_id FROM omop.image_feature f
  JOIN omop.observation o ON o.observation_id = f.image_feature_event_id AND o.person_id = f.person_id
  WHERE f.image_feature_event_field_concept_id = 1147304
)
SELECT i.person_id, i.accession_id,
       max(CASE WHEN f.value_as_concept_id = 4215818 THEN 1 ELSE 0 END) AS "Pleural Effusion",
       max(CASE WHEN f.value_as_concept_id = 4196943 THEN 1 ELSE 0 END) AS "Pulmonary Edema",
       max(CASE WHEN f.value_as_concept_id = 40481136 THEN 1 ELSE 0 END) AS "Normal Lung"
FROM omop.image_occurrence i JOIN findings f ON f.image_occurrence_id = i.image_occurrence_id
GROUP BY i.person_id, i.accession_id LIMIT 300
--> star of a with
WITH cohort AS (
  SELECT i.accession_id, p.year_of_birth, p.gender_concept_id FROM image_occurrence i JOIN person p USING (person_id)
)
SELECT * FROM cohort LIMIT 100
--> age and sex
SELECT i.accession_id, EXTRACT(YEAR FROM i.image_occurrence_date) - p.year_of_birth AS age, c.concept_name AS sex
FROM image_occurrence i JOIN person p ON p.person_id = i.person_id JOIN concept c ON c.concept_id = p.gender_concept_id
--> last value before the image
SELECT i.accession_id, (SELECT m.value_as_number FROM measurement m WHERE m.person_id = i.person_id
AND m.measurement_date <= i.image_occurrence_date ORDER BY m.measurement_date DESC LIMIT 1) AS last_value FROM image_occurrence i
--> label by exists
SELECT i.accession_id, CASE WHEN EXISTS (SELECT 1 FROM death d WHERE d.person_id = i.person_id) THEN 1 ELSE 0 END AS died FROM image_occurrence i
--> label by a left join
SELECT DISTINCT i.accession_id, d.death_date IS NOT NULL AS died FROM image_occurrence i LEFT JOIN death d ON d.person_id = i.person_id
--> mean of a person
SELECT i.accession_id, m.mean AS "Systolic" FROM image_occurrence i JOIN (SELECT person_id, avg(value_as_number) AS mean
FROM measurement WHERE measurement_concept_id = 3004249 GROUP BY person_id) m ON m.person_id = i.person_id
--> number of series
SELECT accession_id, count(*) AS series FROM image_occurrence GROUP BY accession_id
--> modality and date
SELECT accession_id, modality_concept_id, image_occurrence_date FROM image_occurrence WHERE modality_concept_id = 4300757 ORDER BY image_occurrence_date LIMIT 50
--> pivot with a filter
SELECT i.accession_id, count(*) FILTER (WHERE c.condition_concept_id = 312327) > 0 AS infarction FROM image_occurrence i
LEFT JOIN condition_occurrence c ON c.person_id = i.person_id GROUP BY i.accession_id
--> first image of each
SELECT x.accession_id, x.year_of_birth FROM (SELECT i.accession_id, p.year_of_birth, row_number() OVER (PARTITION BY i.person_id
ORDER BY i.image_occurrence_date) AS n FROM image_occurrence i JOIN person p ON p.person_id = i.person_id) x WHERE x.n = 1
--> the value nearest to the image
SELECT i.accession_id, b.value FROM image_occurrence i JOIN LATERAL (SELECT m.value_as_number AS value FROM measurement m
WHERE m.person_id = i.person_id AND m.measurement_concept_id = 3004249 ORDER BY abs(m.measurement_date - i.image_occurrence_date) LIMIT 1) b ON true
--> two last values, each perhaps missing
SELECT io.accession_id, a.value AS first_lab, b.value AS second_lab FROM omop.image_occurrence io
LEFT JOIN LATERAL (SELECT value_as_number AS value FROM omop.measurement m WHERE m.person_id = io.person_id AND m.measurement_concept_id = 3004249
  AND m.measurement_date <= io.image_occurrence_date ORDER BY m.measurement_date DESC LIMIT 1) a ON TRUE
LEFT JOIN LATERAL (SELECT value_as_number AS value FROM omop.measurement m WHERE m.person_id = io.person_id AND m.measurement_concept_id = 3025315
  AND m.measurement_date <= io.image_occurrence_date ORDER BY m.measurement_date DESC LIMIT 1) b ON TRUE
--> number of earlier visits
SELECT io.accession_id, v.n_visits FROM image_occurrence io CROSS JOIN LATERAL (SELECT COUNT(*) AS n_visits FROM visit_occurrence vo
WHERE vo.person_id = io.person_id AND vo.visit_start_date < io.image_occurrence_date) v
--> modalities in one text
SELECT accession_id, string_agg(DISTINCT modality_concept_id::text, ',') AS modalities FROM image_occurrence GROUP BY accession_id
--> the nearest weight of each study
SELECT DISTINCT ON (io.accession_id) io.accession_id, m.value_as_number AS weight FROM image_occurrence io JOIN measurement m ON m.person_id = io.person_id
WHERE m.measurement_concept_id = 3025315 ORDER BY io.accession_id, abs(m.measurement_date - io.image_occurrence_date)
--> mean of the last three
SELECT io.accession_id, (SELECT avg(x.v) FROM (SELECT m.value_as_number AS v FROM measurement m WHERE m.person_id = io.person_id
AND m.measurement_concept_id = 3004249 AND m.measurement_date <= io.image_occurrence_date ORDER BY m.measurement_date DESC LIMIT 3) x) AS mean FROM image_occurrence io
