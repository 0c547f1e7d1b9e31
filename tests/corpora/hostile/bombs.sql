--> too_long
SELECT person_id FROM person <<          *2001>>
--> too_deep
SELECT <<(*3000>>1<<)*3000>>
--> too_deep
SELECT person_id FROM person WHERE <<NOT *4000>>true
--> too_complex
SELECT <<- *9000>>person_id FROM person
--> too_deep
SELECT person_id FROM person WHERE <<CASE WHEN true THEN *60>>true<< END*60>>
--> too_deep
SELECT person_id FROM person WHERE ARRAY<<[*1000>><<]*1000>> IS NULL
--> too_deep
SELECT person_id FROM person <<UNION SELECT person_id FROM person *400>>
--> too_deep
SELECT person_id FROM person p WHERE <<EXISTS (SELECT 1 FROM person p WHERE *60>>true<<)*60>>
--> too_deep
SELECT person_id FROM person a WHERE EXISTS (SELECT 1 FROM person b WHERE b.person_id = a.person_id AND EXISTS (SELECT 1 FROM person c WHERE c.person_id = b.person_id
AND EXISTS (SELECT 1 FROM person d WHERE d.person_id = c.person_id AND EXISTS (SELECT 1 FROM person e WHERE e.person_id = d.person_id AND EXISTS (SELECT 1 FROM person f WHERE f.person_id = e.person_id)))))
--> too_deep
SELECT <<- *2000>>person_id FROM person
--> too_complex
SELECT person_id FROM person WHERE year_of_birth IN (1<<,1*2000>>)
--> too_complex
SELECT person_id FROM person WHERE <<year_of_birth = 1 OR *900>>true
--> too_complex
SELECT person_id FROM <<person, *50>>death
--> too_complex
SELECT person_id FROM person <<JOIN death USING (person_id) *45>>
--> too_complex
SELECT accession_id<<, 1*101>> FROM image_occurrence
--> not_joined
SELECT person_id FROM person JOIN concept ON true
--> not_joined
SELECT person_id FROM person, concept, concept_ancestor, concept_relationship
--> not_joined
SELECT p.person_id FROM person p, concept a, concept b WHERE a.concept_id = p.gender_concept_id AND b.concept_id > a.concept_id
--> not_joined
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM concept a, concept b, concept c)
--> not_joined
SELECT p.person_id FROM person p CROSS JOIN concept c LEFT JOIN concept_ancestor d ON d.ancestor_concept_id = p.gender_concept_id AND c.concept_id = p.gender_concept_id
--> not_joined
SELECT p.person_id FROM person p JOIN concept c ON c.concept_id = p.gender_concept_id OR c.concept_id > 5
--> not_joined
SELECT p.person_id FROM person p JOIN concept c ON c.concept_id NOT IN (p.gender_concept_id, p.race_concept_id)
--> not_joined
SELECT p.person_id FROM person p JOIN concept c ON NOT c.concept_id = p.gender_concept_id
--> not_joined
SELECT person_id FROM person, (VALUES <<(1), *100>>(2)) x
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name LIKE '<<%a*40>>%'
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name LIKE n.concept_code
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE n.concept_name LIKE ANY (ARRAY['a', '<<%a*40>>%'])
--> constant_not_allowed
WITH a AS (SELECT concept_id, concept_name || concept_name AS t FROM concept), b AS (SELECT concept_id, t || t AS t FROM a), c AS (SELECT concept_id, t || t AS t FROM b),
d AS (SELECT concept_id, t || t AS t FROM c), e AS (SELECT concept_id, t || t AS t FROM d) SELECT p.person_id FROM person p JOIN e ON e.concept_id = p.gender_concept_id WHERE e.t = 'x'
--> constant_not_allowed
SELECT w.person_id FROM (SELECT person_id, sum(quantity) OVER (PARTITION BY person_id ROWS BETWEEN 1000000000 PRECEDING AND CURRENT ROW) AS s FROM drug_exposure) w WHERE w.s > 1
--> name_not_allowed
SELECT p.person_id FROM (SELECT person_id, rank() OVER nowhere AS r FROM person) p WHERE p.r = 1
--> too_complex
SELECT person_id FROM person WHERE year_of_birth IN (1<<,1*1100>>)
--> grouping_not_allowed
SELECT count(*) FROM person GROUP BY <<year_of_birth, *30>>gender_concept_id
--> not_joined
SELECT person_id FROM person WHERE (SELECT count(*) FROM concept a JOIN concept b ON b.domain_id = a.domain_id) > 5
--> not_joined
SELECT p.person_id FROM person p JOIN concept k ON k.concept_id = p.gender_concept_id JOIN concept l ON l.standard_concept = k.standard_concept
--> grouping_not_allowed
SELECT person_id FROM person GROUP BY <<year_of_birth, *100>>person_id
--> too_complex
SELECT (SELECT count(*) FROM person WHERE <<year_of_birth = 1 OR *300>>true) AS a, (SELECT count(*) FROM death) AS b
