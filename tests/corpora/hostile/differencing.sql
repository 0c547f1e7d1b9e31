--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) = 137
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) < 10
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) BETWEEN 11 AND 12
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) >= 10 OR count(*) = 3
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING NOT count(*) > 10
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) % 2 = 0
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING max(year_of_birth) = 2009
--> grouping_not_allowed
SELECT count(*) FROM person HAVING count(*) >= (SELECT max(concept_id) FROM concept)
--> grouping_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY max(year_of_birth) LIMIT 5
--> function_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY pg_sleep(1)
--> limit_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 LIMIT (SELECT count(*) FROM concept)
--> not_linked_by_person
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM person q WHERE q.year_of_birth = 1905)
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE q.person_id = p.person_id OR q.year_of_birth = 1905)
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE NOT q.person_id = p.person_id)
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE (q.person_id = p.person_id) = false)
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE q.person_id <> p.person_id AND q.year_of_birth = p.year_of_birth)
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE q.person_id = q.person_id)
--> not_linked_by_person
SELECT person_id FROM person WHERE year_of_birth < (SELECT max(year_of_birth) FROM person)
--> not_linked_by_person
SELECT person_id FROM person WHERE year_of_birth < (SELECT avg(year_of_birth) FROM person)
--> not_linked_by_person
SELECT person_id FROM person WHERE (SELECT count(*) FROM death) > 141
--> not_linked_by_person
SELECT p.person_id FROM person p, person q WHERE q.year_of_birth = 1905
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN person q ON p.person_id = q.person_id OR true
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN person q ON p.year_of_birth = q.year_of_birth
--> not_linked_by_person
SELECT a.person_id FROM person a JOIN person b ON a.person_id <> b.person_id
--> not_linked_by_person
SELECT p.person_id FROM person p LEFT JOIN death d ON true WHERE d.person_id IS NOT NULL
--> not_linked_by_person
SELECT p.person_id FROM person p FULL JOIN death d ON p.person_id <> d.person_id
--> not_linked_by_person
SELECT p.person_id FROM person p CROSS JOIN person q LEFT JOIN death d ON d.person_id = p.person_id AND d.person_id = q.person_id
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN (SELECT count(*) AS n FROM death) d ON d.n > 3
--> not_linked_by_person
WITH n AS (SELECT count(*) AS c FROM death) SELECT person_id FROM person, n WHERE n.c > 141
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, max(year_of_birth) OVER () AS y FROM person) v WHERE v.y = 2009
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, rank() OVER (ORDER BY year_of_birth) AS r FROM person) v WHERE v.r <= 10
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, count(*) OVER (PARTITION BY gender_concept_id) AS n FROM person) v WHERE v.n > 600
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, max(value_as_number) OVER (PARTITION BY visit_occurrence_id) AS n FROM measurement) v WHERE v.n > 300
--> not_linked_by_person
SELECT v.person_id FROM (SELECT p.person_id, count(*) OVER (PARTITION BY d.person_id) AS n FROM person p LEFT JOIN death d ON d.person_id = p.person_id) v WHERE v.n > 900
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, lag(year_of_birth) OVER (ORDER BY year_of_birth) AS before FROM person) v WHERE v.before = 1905
--> not_linked_by_person
SELECT v.person_id FROM (SELECT person_id, row_number() OVER w AS n FROM person WINDOW w AS (ORDER BY year_of_birth)) v WHERE v.n < 20
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT d.person_id, row_number() OVER (PARTITION BY p.person_id ORDER BY d.death_date) AS n FROM death d) x WHERE x.person_id = p.person_id AND x.n = 1)
--> not_linked_by_person
SELECT person_id FROM person WHERE gender_concept_id IN (SELECT gender_concept_id FROM person WHERE year_of_birth = 1905)
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN (SELECT gender_concept_id, min(year_of_birth) AS y FROM person GROUP BY 1) g ON g.gender_concept_id = p.gender_concept_id AND g.y = p.year_of_birth
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN visit_occurrence v ON v.preceding_visit_occurrence_id = v.preceding_visit_occurrence_id
--> not_linked_by_person
SELECT DISTINCT ON (gender_concept_id) person_id FROM person
--> not_linked_by_person
SELECT person_id FROM (SELECT DISTINCT ON (year_of_birth) person_id FROM person ORDER BY year_of_birth) x
--> not_linked_by_person
SELECT person_id FROM person WHERE (SELECT count(*) FROM (SELECT 1 AS one FROM death) d) > 141
--> not_linked_by_person
SELECT person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id))
--> not_linked_by_person
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM death UNION SELECT 1 FROM visit_occurrence)
--> name_not_allowed
SELECT person_id FROM person p, person p
