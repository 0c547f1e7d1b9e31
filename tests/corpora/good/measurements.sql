--> two high values
SELECT p.person_id FROM person p WHERE (SELECT count(*) FROM measurement m
WHERE m.person_id = p.person_id AND m.value_as_number > 6.5) >= 2
--> range and unit
SELECT person_id FROM measurement WHERE measurement_concept_id = 3004249 AND value_as_number BETWEEN 140 AND 200
AND (unit_concept_id = 8876 OR unit_concept_id IS NULL)
--> last value by subquery
SELECT p.person_id FROM person p WHERE (SELECT m.value_as_number FROM measurement m WHERE m.person_id = p.person_id
AND m.measurement_concept_id = 3004249 ORDER BY m.measurement_date DESC LIMIT 1) > 130
--> mean of a person
SELECT person_id FROM measurement WHERE measurement_concept_id = 3004249 GROUP BY person_id HAVING avg(value_as_number) > 135
--> mean beside a visit
SELECT m.person_id FROM (SELECT person_id, avg(value_as_number) AS mean FROM measurement GROUP BY person_id) m
JOIN visit_occurrence v ON v.person_id = m.person_id WHERE m.mean > 50
--> flags
SELECT person_id FROM condition_occurrence GROUP BY person_id
HAVING bool_or(condition_concept_id = 312327) AND NOT bool_or(condition_concept_id = 201826)
--> sum of flags
SELECT person_id FROM condition_occurrence GROUP BY person_id
HAVING sum(CASE WHEN condition_concept_id = 40481087 THEN 1 ELSE 0 END) >= 2
--> filtered count
SELECT person_id FROM condition_occurrence GROUP BY person_id HAVING count(*) FILTER (WHERE condition_concept_id = 40481087) >= 2
--> over the upper limit
SELECT person_id FROM measurement WHERE value_as_number > range_high * 1.5
--> ratio to the limit
SELECT person_id FROM measurement WHERE value_as_number / NULLIF(range_high, 0) > 1.2
--> converted
SELECT person_id FROM measurement WHERE value_as_number * 18.0 > 126 AND measurement_concept_id = 3004501
--> HbA1c by formula
SELECT person_id FROM measurement WHERE (value_as_number - 2.15) * 10.929 >= 48
--> coalesce and greatest
SELECT person_id FROM measurement WHERE GREATEST(COALESCE(value_as_number, 0), COALESCE(range_low, 0)) >= 120
--> rounded
SELECT person_id FROM measurement WHERE round(value_as_number, 1) = 7.1
--> at least two of three
SELECT p.person_id FROM person p WHERE
(CASE WHEN EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.person_id = p.person_id AND c.condition_concept_id = 312327) THEN 1 ELSE 0 END
+ CASE WHEN EXISTS (SELECT 1 FROM drug_exposure d WHERE d.person_id = p.person_id) THEN 1 ELSE 0 END
+ CASE WHEN p.year_of_birth < 1950 THEN 1 ELSE 0 END) >= 2
--> by the code of the vocabulary
SELECT m.person_id FROM measurement m WHERE m.measurement_concept_id =
(SELECT concept_id FROM concept WHERE vocabulary_id = 'LOINC' AND concept_code = '8480-6' LIMIT 1) AND m.value_as_number >= 140
--> concept in a scalar
SELECT person_id FROM condition_occurrence WHERE condition_concept_id =
(SELECT min(concept_id) FROM concept WHERE concept_name = 'Pleural effusion')
--> a change between two
SELECT DISTINCT b.person_id FROM measurement a JOIN measurement b ON b.person_id = a.person_id
AND b.measurement_concept_id = a.measurement_concept_id AND b.measurement_date > a.measurement_date
WHERE a.measurement_concept_id = 3025315 AND b.value_as_number - a.value_as_number > 10
--> max per person
SELECT x.person_id FROM (SELECT person_id, max(value_as_number) AS highest FROM measurement WHERE measurement_concept_id = 3004249 GROUP BY person_id) x WHERE x.highest < 180
--> not distinct
SELECT person_id FROM measurement WHERE value_as_concept_id IS NOT DISTINCT FROM unit_concept_id
--> like any
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id
WHERE lower(n.concept_name) LIKE ANY (ARRAY['%sinusitis%', '%bronchitis%'])
--> any array
SELECT person_id FROM condition_occurrence WHERE condition_concept_id = ANY (ARRAY[312327, 201826, 40481087])
--> codes by prefix
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_source_concept_id
WHERE n.vocabulary_id = 'ICD10CM' AND left(n.concept_code, 3) IN ('E11', 'E10')
--> hierarchy by three joins
SELECT DISTINCT d.person_id FROM omop.drug_exposure d
JOIN omop.concept_ancestor ca ON ca.descendant_concept_id = d.drug_concept_id
JOIN omop.concept ing ON ing.concept_id = ca.ancestor_concept_id AND ing.concept_class_id = 'Ingredient'
WHERE ing.concept_name ILIKE 'metformin'
--> mapped concepts
SELECT DISTINCT co.person_id FROM condition_occurrence co JOIN concept_relationship r
ON r.concept_id_1 = co.condition_source_concept_id AND r.relationship_id = 'Maps to' JOIN concept std ON std.concept_id = r.concept_id_2
WHERE std.standard_concept = 'S'
--> synonyms
SELECT c.person_id FROM condition_occurrence c WHERE c.condition_concept_id IN
(SELECT s.concept_id FROM concept_synonym s WHERE s.concept_synonym_name ILIKE '%heart attack%')
--> or of two columns
SELECT DISTINCT c.person_id FROM condition_occurrence c JOIN concept n
ON n.concept_id = c.condition_concept_id OR n.concept_id = c.condition_source_concept_id WHERE n.domain_id = 'Condition'
--> with of concepts
WITH diabetes AS (SELECT descendant_concept_id AS concept_id FROM concept_ancestor WHERE ancestor_concept_id = 201820)
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM condition_occurrence c WHERE c.person_id = p.person_id
AND c.condition_concept_id IN (SELECT concept_id FROM diabetes))
--> away from the target
SELECT person_id FROM measurement WHERE abs(value_as_number - 120) > 40
--> every flag
SELECT person_id FROM measurement GROUP BY person_id HAVING bool_and(value_as_number > 0) OR every(value_as_number IS NULL)
--> texts of the vocabulary
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id
WHERE upper(trim(both FROM n.concept_name)) LIKE 'ACUTE%' AND length(n.concept_code) > 2
AND substring(n.concept_code from 1 for 2) <> 'Z9' AND substr(ltrim(rtrim(n.concept_code)), 1, 1) <> 'V'
--> whole units
SELECT person_id FROM measurement WHERE ceil(value_as_number) = 8 OR ceiling(CAST(value_as_number AS numeric)) = 9
--> as other numbers
SELECT person_id FROM measurement WHERE value_as_number::float8 > 7.5 OR CAST(value_as_number AS bigint) > 100
--> joined texts
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id
WHERE n.vocabulary_id || ':' || CAST(n.concept_code AS varchar(50)) = 'SNOMED:60046008' OR n.concept_code::text = 'x' OR n.domain_id::char(1) = 'D'
--> body mass index
SELECT w.person_id FROM measurement w JOIN measurement h ON h.person_id = w.person_id
WHERE w.measurement_concept_id = 3025315 AND h.measurement_concept_id = 3036277 AND w.value_as_number / NULLIF(power(h.value_as_number / 100.0, 2), 0) > 30
--> a product of two values
SELECT DISTINCT a.person_id FROM observation a JOIN observation b ON b.person_id = a.person_id
WHERE a.observation_concept_id = 4041511 AND b.observation_concept_id = 4144273 AND a.value_as_number * b.value_as_number >= 30
--> a rounded ratio
SELECT person_id FROM measurement WHERE round((value_as_number * 10000 / NULLIF(range_high * range_high, 0))::numeric, 1) >= 30
