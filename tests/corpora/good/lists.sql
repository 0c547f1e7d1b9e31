--> a whole table
SELECT person_id FROM person
--> schema in front
SELECT person_id FROM omop.person WHERE year_of_birth < 1980 AND gender_concept_id = 8507;
--> modality
SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 4300757
--> limit of images
SELECT person_id, accession_id FROM image_occurrence ORDER BY image_occurrence_date LIMIT 300
--> image and age
SELECT i.accession_id, p.person_id FROM image_occurrence i JOIN person p ON p.person_id = i.person_id
WHERE p.year_of_birth BETWEEN 1950 AND 1990
--> comment at the end
SELECT DISTINCT person_id FROM measurement WHERE value_as_number / 2 > 3.5 -- a note at the end
--> no diabetes
SELECT person_id FROM person p WHERE NOT EXISTS
(SELECT 1 FROM condition_occurrence c WHERE c.person_id = p.person_id AND c.condition_concept_id = 201826)
--> at least two visits
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING count(*) >= 2
--> the dead
SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM death)
--> descendants
SELECT c.person_id FROM condition_occurrence c JOIN concept_ancestor a
ON a.descendant_concept_id = c.condition_concept_id WHERE a.ancestor_concept_id = 201826
--> concepts by name
SELECT c.person_id FROM condition_occurrence c WHERE c.condition_concept_id IN
(SELECT concept_id FROM concept WHERE concept_name ILIKE '%insertion%' AND domain_id = 'Condition')
--> first visit
SELECT v.person_id FROM (SELECT person_id, row_number() OVER (PARTITION BY person_id
ORDER BY visit_start_date) AS n FROM visit_occurrence) v WHERE v.n = 1
--> union in with
WITH both_kinds AS (SELECT person_id FROM condition_occurrence UNION SELECT person_id FROM death)
SELECT person_id FROM both_kinds
--> union
SELECT person_id FROM condition_occurrence WHERE condition_concept_id = 312327
UNION
SELECT person_id FROM drug_exposure WHERE drug_concept_id = 1124300
--> except
SELECT person_id FROM omop.person WHERE year_of_birth >= 1950 EXCEPT SELECT person_id FROM omop.death
--> intersect
(SELECT person_id FROM image_occurrence) INTERSECT (SELECT person_id FROM measurement)
--> union of images
SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 4300757
UNION ALL SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 4013636 LIMIT 200
--> right join
SELECT d.person_id FROM person p RIGHT JOIN death d ON d.person_id = p.person_id WHERE p.year_of_birth > 1920
--> full join
SELECT COALESCE(c.person_id, d.person_id) AS person_id FROM condition_occurrence c
FULL OUTER JOIN drug_exposure d ON c.person_id = d.person_id WHERE c.condition_concept_id = 312327 OR d.quantity > 30
--> using
SELECT person_id FROM person JOIN visit_occurrence USING (person_id) WHERE visit_concept_id IN (9201, 9203)
--> lower case and joins by comma
select p.person_id from person p, condition_occurrence c where p.person_id = c.person_id and c.condition_concept_id = 312327
--> all upper case
SELECT DISTINCT P.PERSON_ID FROM PERSON P INNER JOIN CONDITION_OCCURRENCE CO ON CO.PERSON_ID = P.PERSON_ID WHERE CO.CONDITION_START_DATE >= '2010-01-01'
--> comments everywhere
/* Cohort: adults /* nested */ with a CT */
SELECT p.person_id -- the person
FROM omop.person AS p -- everybody
JOIN omop.image_occurrence AS i ON i.person_id = p.person_id
WHERE p.year_of_birth <= 2000; -- end
--> fully qualified columns
SELECT omop.person.person_id FROM omop.person WHERE omop.person.year_of_birth > 1950
--> quoted
SELECT "p"."person_id" FROM "omop"."person" AS "p" WHERE "p"."gender_concept_id" = 8532
--> not in
SELECT person_id FROM person WHERE person_id NOT IN (SELECT person_id FROM death)
--> not in, from nullable
SELECT v.person_id FROM visit_occurrence v WHERE v.visit_occurrence_id NOT IN
(SELECT m.visit_occurrence_id FROM measurement m WHERE m.visit_occurrence_id IS NOT NULL)
--> visits with a measurement
SELECT person_id FROM visit_occurrence WHERE visit_occurrence_id IN (SELECT visit_occurrence_id FROM measurement)
--> anti join
SELECT p.person_id FROM person p LEFT JOIN death d ON p.person_id = d.person_id WHERE d.person_id IS NULL
--> exists with star
SELECT p.person_id FROM person p WHERE EXISTS (SELECT * FROM drug_exposure d WHERE d.person_id = p.person_id)
--> exists with limit
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id LIMIT 1)
--> fetch first
SELECT accession_id FROM image_occurrence FETCH FIRST 50 ROWS ONLY
--> distinct on the person
SELECT DISTINCT ON (person_id) person_id, accession_id FROM image_occurrence ORDER BY person_id, image_occurrence_date
--> umlaut
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id
WHERE n.concept_name ILIKE '%Sjögren%' OR n.concept_name LIKE 'Drop foot%'
--> words of statements in a text
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id
WHERE n.concept_name IN ('Drop foot', 'Insertion; update -- delete', 'Crohn''s disease')
--> images of persons with features
SELECT DISTINCT i.accession_id FROM image_occurrence i JOIN image_feature f ON f.image_occurrence_id = i.image_occurrence_id
JOIN observation o ON o.observation_id = f.image_feature_event_id AND o.person_id = f.person_id
WHERE f.image_feature_event_field_concept_id = 1147304 AND o.value_as_concept_id IN (4215818, 4196943)
--> visit of the image
SELECT i.person_id, i.accession_id FROM image_occurrence i JOIN visit_occurrence v
ON v.visit_occurrence_id = i.visit_occurrence_id WHERE v.visit_concept_id = 9201
--> list ordered
SELECT person_id FROM person ORDER BY year_of_birth DESC NULLS LAST, person_id
--> codes as a list of values
WITH codes(concept_id) AS (VALUES (312327), (201826), (40481087))
SELECT DISTINCT co.person_id FROM condition_occurrence co JOIN codes ON codes.concept_id = co.condition_concept_id
--> in a list of values
SELECT person_id FROM condition_occurrence WHERE condition_concept_id IN (VALUES (312327), (201826))
--> last visit by lateral
SELECT p.person_id FROM person p, LATERAL (SELECT v.visit_concept_id FROM visit_occurrence v WHERE v.person_id = p.person_id
ORDER BY v.visit_start_date DESC LIMIT 1) l WHERE l.visit_concept_id = 9202
--> images of the same number, with the person
SELECT i.accession_id FROM image_occurrence i JOIN image_occurrence j ON j.accession_id = i.accession_id AND j.person_id = i.person_id WHERE j.modality_concept_id = 4300757
--> pairs of person and number
SELECT accession_id FROM image_occurrence WHERE (person_id, accession_id) NOT IN (SELECT person_id, accession_id FROM image_occurrence WHERE modality_concept_id = 4300757)
