--> operator_not_allowed
SELECT person_id FROM person WHERE year_of_birth * year_of_birth > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth * 2000000 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 / (year_of_birth - 1905) > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 / (CASE WHEN year_of_birth = 1905 THEN 0 ELSE 1 END) > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE 1 % (year_of_birth - 1905) = 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth / 0.5 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 2147483647 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + '2147483647' > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE CASE WHEN year_of_birth = 1905 THEN 2147483647 ELSE 0 END + 1 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE coalesce(year_of_birth, 99999999) * 1000 > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 1e300 > 0
--> constant_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::float8 * 1e-300 > 0
--> spelling_not_allowed
SELECT person_id FROM person WHERE year_of_birth + 0xFFFFFFFFFF > 0
--> spelling_not_allowed
SELECT person_id FROM person WHERE year_of_birth > 1_950
--> constant_not_allowed
WITH a AS (SELECT person_id, year_of_birth + year_of_birth AS y FROM person), b AS (SELECT person_id, y + y AS y FROM a),
c AS (SELECT person_id, y + y AS y FROM b), d AS (SELECT person_id, y + y AS y FROM c), e AS (SELECT person_id, y + y AS y FROM d)
SELECT person_id FROM e WHERE y > 0
--> constant_not_allowed
WITH a AS (SELECT person_id, year_of_birth * 1000 AS y FROM person), b AS (SELECT person_id, y * 1000 AS y FROM a)
SELECT person_id FROM b WHERE y > 0
--> constant_not_allowed
SELECT person_id FROM person WHERE extract(nonsense FROM '2020-01-01'::date) > 0
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date + interval '200000000 years' > death_date
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date - <<interval '99 years' - *18>> interval '99 years' > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM death WHERE death_date - (death_date - DATE '1900-01-01') * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE v.visit_start_date - p.year_of_birth * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE v.visit_start_date - age(v.visit_start_date, make_date(p.year_of_birth, 1, 1)) * 1000 > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM device_exposure WHERE device_exposure_start_date + quantity > '2020-01-01'
--> constant_not_allowed
SELECT person_id FROM drug_exposure WHERE drug_exposure_start_date - days_supply * INTERVAL '99 years' < '2000-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE make_date(year_of_birth, 2, 30) > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE make_date(CASE WHEN year_of_birth = 1905 THEN 0 ELSE 1 END, 1, 1) > '1900-01-01'
--> constant_not_allowed
SELECT person_id FROM person WHERE width_bucket(year_of_birth, 5, 5, 10) = 1
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE substring(n.concept_name, 1, c.condition_concept_id) = 'a'
--> constant_not_allowed
SELECT c.person_id FROM condition_occurrence c JOIN concept n ON n.concept_id = c.condition_concept_id WHERE substring(n.concept_name, 1, -5) = 'a'
--> type_not_allowed
SELECT person_id FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id WHERE concept_name::int4 = 1
--> type_not_allowed
SELECT person_id FROM person WHERE (CASE WHEN year_of_birth = 1905 THEN 'x' ELSE '1' END)::int = 1
--> type_not_allowed
SELECT person_id FROM person WHERE left(year_of_birth::text, 0)::int = 1
--> type_not_allowed
SELECT person_id FROM person WHERE year_of_birth::int2 > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::numeric(3, 2) > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE (value_as_number * 1000)::int > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE value_as_number::int > 0
--> type_not_allowed
SELECT person_id FROM measurement WHERE (value_as_number / NULLIF(value_as_number - value_as_number, 0))::int > 0
--> form_not_allowed
SELECT person_id FROM person p WHERE (SELECT year_of_birth FROM person q WHERE q.person_id = p.person_id) = 1905
--> form_not_allowed
SELECT person_id FROM person p WHERE (SELECT concept_id FROM concept c WHERE c.concept_id >= p.year_of_birth) = 1905
--> form_not_allowed
SELECT person_id FROM person p WHERE year_of_birth <> ALL (SELECT d.person_id, d.death_date FROM death d WHERE d.person_id = p.person_id)
--> identifier_misused
SELECT person_id FROM person p WHERE person_id <> ALL (SELECT d.person_id FROM death d)
--> not_linked_by_person
SELECT person_id FROM person p WHERE year_of_birth <> ALL (SELECT year_of_birth FROM person)
--> not_linked_by_person
SELECT person_id FROM person WHERE person_id NOT IN (SELECT d.person_id FROM person p LEFT JOIN death d ON d.person_id = p.person_id WHERE p.year_of_birth = 1905)
--> not_linked_by_person
SELECT v.person_id FROM visit_occurrence v WHERE (v.visit_occurrence_id IN (SELECT m.visit_occurrence_id FROM measurement m WHERE m.value_as_number > 300)) IS NULL
--> not_linked_by_person
SELECT v.person_id FROM visit_occurrence v WHERE CASE WHEN v.visit_occurrence_id IN (SELECT visit_occurrence_id FROM measurement) THEN true ELSE false END
--> not_linked_by_person
SELECT person_id FROM person WHERE NOT (person_id IN (SELECT CASE WHEN year_of_birth > 1905 THEN person_id END FROM person))
--> limit_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM person ORDER BY year_of_birth LIMIT 10)
--> limit_not_allowed
SELECT count(*) FROM (SELECT person_id FROM person ORDER BY year_of_birth LIMIT 11) p
--> limit_not_allowed
SELECT person_id FROM person LIMIT (SELECT count(*) FROM death)
--> limit_not_allowed
SELECT person_id FROM person LIMIT CASE WHEN true THEN 10 ELSE 20 END
--> limit_not_allowed
SELECT person_id FROM person LIMIT NULL
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth LIMIT 1
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST ROW ONLY
--> limit_not_allowed
SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST 20 ROWS WITH TIES
--> limit_not_allowed
SELECT p.person_id FROM (SELECT person_id FROM person LIMIT 1) p
--> limit_not_allowed
SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM person ORDER BY year_of_birth FETCH FIRST 20 ROWS WITH TIES)
--> form_not_allowed
SELECT person_id FROM person OFFSET 3
--> form_not_allowed
SELECT person_id FROM person LIMIT 20 OFFSET 20
--> form_not_allowed
SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM death OFFSET 141)
--> form_not_allowed
SELECT person_id FROM person WHERE CASE WHEN year_of_birth = 1905 THEN (SELECT concept_id FROM concept) ELSE 0 END = 0
--> form_not_allowed
SELECT person_id FROM person WHERE year_of_birth = 1905 AND gender_concept_id = (SELECT concept_id FROM concept WHERE domain_id = 'Gender')
--> constant_not_allowed
SELECT v.person_id FROM visit_occurrence v JOIN person p USING (person_id) WHERE CASE WHEN p.year_of_birth = 1905 THEN extract(hour FROM v.visit_start_date) ELSE 0 END = 0
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE extract(dow FROM age(visit_end_date, visit_start_date)) = 0
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE date_trunc('week', visit_end_datetime - visit_start_datetime) IS NULL
--> constant_not_allowed
SELECT person_id FROM drug_exposure WHERE days_supply * INTERVAL '99 years' > INTERVAL '1 year'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING sum(age(visit_end_date, visit_start_date)) > INTERVAL '1 year'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING avg(coalesce(visit_end_datetime - visit_start_datetime, INTERVAL '1 day')) > INTERVAL '2 days'
--> function_not_allowed
SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING sum(INTERVAL '99 years') > INTERVAL '2 days'
--> constant_not_allowed
SELECT person_id FROM measurement WHERE round(value_as_number, 100000) = 1
--> type_not_allowed
SELECT person_id FROM person WHERE year_of_birth || gender_concept_id = 1905
--> constant_not_allowed
SELECT person_id FROM measurement WHERE value_as_number <<* value_as_number *17>> > 0
--> not_linked_by_person
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT 1 FROM death d) x
--> not_linked_by_person
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT d.death_date FROM death d WHERE d.person_id <> p.person_id) x
--> not_linked_by_person
SELECT p.person_id FROM person p, person q CROSS JOIN LATERAL (SELECT d.person_id FROM death d WHERE d.person_id = q.person_id) x WHERE x.person_id = p.person_id
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN person q ON true CROSS JOIN LATERAL (SELECT d.person_id FROM death d WHERE d.person_id = q.person_id) x WHERE x.person_id = p.person_id
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q
CROSS JOIN LATERAL (SELECT d.person_id FROM death d WHERE d.person_id = p.person_id) x WHERE x.person_id = p.person_id AND q.year_of_birth = 1905)
--> limit_not_allowed
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT q.year_of_birth FROM person q ORDER BY q.year_of_birth FETCH FIRST 1 ROWS ONLY) x
--> limit_not_allowed
SELECT p.person_id FROM person p LEFT JOIN LATERAL (SELECT q.year_of_birth FROM person q WHERE q.year_of_birth > p.year_of_birth LIMIT 1) x ON true
--> not_linked_by_person
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT c.concept_id FROM concept c WHERE c.concept_id > p.year_of_birth) x
--> identifier_misused
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT p.person_id AS x) x WHERE x.x > 5
--> form_not_allowed
SELECT p.person_id FROM person p, LATERAL generate_series(1, p.year_of_birth) g
--> constant_not_allowed
SELECT p.person_id FROM person p CROSS JOIN LATERAL (VALUES (p.year_of_birth)) x(y)
--> constant_not_allowed
SELECT p.person_id FROM person p JOIN (VALUES (1, 2), (3)) x(a, b) ON a = gender_concept_id
--> identifier_misused
SELECT person_id FROM person JOIN (VALUES (5)) AS v(person_id) USING (person_id)
--> identifier_misused
SELECT person_id FROM person UNION VALUES (5)
--> name_not_allowed
SELECT u.who FROM (SELECT * FROM (SELECT 1 + 1, 2 + 2, p.person_id FROM person p) AS t) AS u(a, who, b)
--> name_not_allowed
SELECT o.person_id FROM person o JOIN (SELECT * FROM (SELECT 1 + 1, p.year_of_birth * 0 + 356, p.person_id FROM person p) AS t) AS u(a, who, b) ON u.who = o.person_id
--> identifier_misused
SELECT o.person_id FROM person o WHERE EXISTS (SELECT 1 FROM (SELECT p.person_id AS x, (SELECT 356 AS person_id FROM concept k
WHERE k.concept_id = p.gender_concept_id LIMIT 1) FROM person p WHERE year_of_birth = 1905) t WHERE t.x = person_id)
--> identifier_misused
SELECT o.person_id FROM (SELECT person_id, person_id AS int4 FROM person) o WHERE EXISTS (SELECT 1 FROM (SELECT p.person_id AS x,
(CASE WHEN true THEN 356 END)::int FROM person p WHERE year_of_birth = 1905) t WHERE t.x = int4)
--> not_linked_by_person
SELECT o.person_id FROM person o JOIN observation_period p ON p.person_id = o.person_id WHERE EXISTS (SELECT 1 FROM person p, visit_occurrence v
JOIN condition_occurrence c ON c.person_id = p.person_id AND c.person_id = v.person_id WHERE v.person_id = o.person_id AND p.year_of_birth = 1905)
--> not_linked_by_person
SELECT o.person_id FROM person o WHERE EXISTS (SELECT 1 FROM (SELECT person_id AS own, person_id, year_of_birth FROM person) p,
(SELECT person_id AS vp FROM visit_occurrence) v JOIN (SELECT person_id AS cp FROM condition_occurrence) c ON c.cp = v.vp AND c.cp = person_id
WHERE v.vp = o.person_id AND p.year_of_birth = 1905)
--> column_not_allowed
SELECT p.person_id FROM person p, visit_occurrence v JOIN condition_occurrence c ON c.person_id = p.person_id WHERE v.person_id = p.person_id
--> not_linked_by_person
SELECT x.pid FROM (SELECT DISTINCT ON (person_id) p.year_of_birth AS person_id, p.person_id AS pid FROM person p ORDER BY 1) x
--> function_not_allowed
SELECT p.person_id FROM person p GROUP BY p.person_id HAVING (SELECT max(p.year_of_birth) FROM condition_occurrence s WHERE s.person_id = p.person_id) > 1900
--> function_not_allowed
SELECT p.person_id FROM person p GROUP BY p.person_id HAVING (SELECT count(p.year_of_birth) FROM condition_occurrence s WHERE s.person_id = p.person_id) > 1
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE width_bucket(CASE WHEN p.year_of_birth = 1905 THEN CAST('NaN' AS numeric) ELSE 1 END, 0, 10, 5) > 0
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE width_bucket(CASE WHEN p.year_of_birth = 1905 THEN ' -Infinity' ELSE 1.5 END, 0, 10, 5) > 0
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE CASE WHEN p.year_of_birth = 1905 THEN 1e400 ELSE 1 END > CAST(p.year_of_birth AS float8)
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE CASE WHEN p.year_of_birth = 1905 THEN '1e-400' ELSE 1.5 END > CAST(p.year_of_birth AS float8)
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE INTERVAL '70000 days' / NULLIF(CASE WHEN p.year_of_birth = 1905 THEN 0.000001 ELSE 1 END, 0) > INTERVAL '1 day'
--> constant_not_allowed
SELECT CASE WHEN p.year_of_birth = 1905 THEN CAST('NaN' AS float8) ELSE 0 END AS k, count(*) FROM person p GROUP BY 1
--> constant_not_allowed
SELECT CASE WHEN p.year_of_birth = 1905 THEN CAST('Infinity' AS numeric) ELSE 0 END AS k, count(*) FROM person p GROUP BY 1
--> constant_not_allowed
SELECT person_id FROM death WHERE date_trunc('year', CASE WHEN cause_concept_id = 5 THEN '5874897-12-31' ELSE death_date END) > '2000-01-01'
--> constant_not_allowed
SELECT person_id FROM death WHERE age(CASE WHEN cause_concept_id = 5 THEN 'J2147483493' ELSE death_date END, death_date) IS NULL
--> constant_not_allowed
SELECT person_id FROM death WHERE to_char(CASE WHEN cause_concept_id = 5 THEN '5874897-12-31' ELSE death_date END, 'YYYY') = '2000'
--> form_not_allowed
SELECT person_id FROM person WHERE ARRAY(SELECT 1) IS NOT NULL
--> form_not_allowed
SELECT person_id FROM person WHERE ARRAY[CASE WHEN year_of_birth = 1905 THEN ARRAY[1] ELSE ARRAY[1, 2] END, ARRAY[3, 4]] IS NOT NULL
--> limit_not_allowed
SELECT person_id FROM person p WHERE CASE WHEN year_of_birth = 1905 THEN EXISTS (SELECT 1 FROM concept k WHERE k.concept_id = p.gender_concept_id LIMIT -1) ELSE true END
--> limit_not_allowed
SELECT gender_concept_id, count(*) FROM person GROUP BY 1 LIMIT -1
--> type_not_allowed
SELECT gender_concept_id::char(1000000) AS k, count(*) FROM person GROUP BY 1
--> constant_not_allowed
SELECT person_id FROM (SELECT person_id, date_trunc('year', a + age(now(), DATE '1600-01-01') * 4 + age(now(), DATE '1600-01-01') * 4) AS b FROM
(SELECT person_id, date_trunc('year', DATE '2000-01-01' <<+ age(now(), DATE '1600-01-01') * 4 *6>>) AS a FROM person) x) y WHERE b > '2020-01-01'
--> not_linked_by_person
SELECT c2.person_id FROM condition_occurrence c1 JOIN condition_occurrence c2 ON c2.visit_occurrence_id = c1.visit_occurrence_id WHERE c1.condition_concept_id = 5
--> not_linked_by_person
SELECT person_id FROM condition_occurrence WHERE visit_occurrence_id IN (SELECT visit_occurrence_id FROM condition_occurrence WHERE condition_concept_id = 5)
--> not_linked_by_person
SELECT c2.person_id FROM condition_occurrence c2 WHERE EXISTS (SELECT 1 FROM condition_occurrence c1 WHERE c1.visit_occurrence_id = c2.visit_occurrence_id)
--> not_linked_by_person
SELECT c2.person_id FROM condition_occurrence c2 JOIN (SELECT visit_occurrence_id, bool_or(condition_concept_id = 5) AS hit FROM condition_occurrence
GROUP BY visit_occurrence_id) g ON g.visit_occurrence_id = c2.visit_occurrence_id WHERE g.hit
--> not_linked_by_person
SELECT c.person_id FROM condition_occurrence c JOIN (SELECT visit_occurrence_id FROM visit_occurrence UNION SELECT visit_occurrence_id FROM measurement) v
ON v.visit_occurrence_id = c.visit_occurrence_id
--> not_linked_by_person
SELECT t.person_id FROM (SELECT person_id, count(*) OVER (PARTITION BY accession_id) AS n FROM image_occurrence) t WHERE t.n > 300
--> not_linked_by_person
SELECT person_id FROM image_occurrence WHERE accession_id NOT IN (SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 5)
--> not_linked_by_person
SELECT j.person_id FROM image_occurrence i JOIN image_occurrence j ON j.accession_id = i.accession_id WHERE i.modality_concept_id = 5
--> not_linked_by_person
SELECT person_id FROM image_occurrence WHERE accession_id IN (SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 5)
--> not_linked_by_person
SELECT i.person_id FROM image_occurrence i WHERE EXISTS (SELECT 1 FROM image_occurrence j WHERE j.accession_id = i.accession_id AND j.modality_concept_id = 5)
--> not_linked_by_person
SELECT i.person_id FROM image_occurrence i JOIN (SELECT accession_id, bool_or(modality_concept_id = 5) AS hit FROM image_occurrence GROUP BY accession_id) g
ON g.accession_id = i.accession_id WHERE g.hit
--> constant_not_allowed
SELECT person_id FROM (SELECT person_id, count(*) OVER (PARTITION BY person_id ORDER BY visit_start_date ROWS BETWEEN CAST('-1' AS bigint) PRECEDING
AND CURRENT ROW) AS n FROM visit_occurrence) w WHERE n > 1
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT d.death_date FROM death d WHERE d.person_id = p.person_id) x, person q WHERE q.year_of_birth = 1905)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM person q LEFT JOIN (SELECT d.death_date FROM death d WHERE d.person_id = p.person_id) x ON true
WHERE q.year_of_birth = 1905)
--> constant_not_allowed
SELECT person_id FROM person WHERE DATE '2000-01-01' - CASE WHEN year_of_birth = 1905 THEN age(DATE '9999-12-31', DATE '2000-01-01') ELSE INTERVAL '1 day' END < '2000-01-01'
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE extract(doy FROM date_trunc('day', age(visit_end_date, visit_start_date))) > 0
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE date_trunc('week', date_trunc('month', age(visit_end_date, visit_start_date))) > INTERVAL '1 day'
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE to_char(date_trunc('day', age(visit_end_date, visit_start_date)), 'Mon') > 'a'
--> not_linked_by_person
SELECT c2.person_id FROM condition_occurrence c2 JOIN (SELECT visit_occurrence_id AS x FROM visit_occurrence v RIGHT JOIN condition_occurrence c
USING (visit_occurrence_id) JOIN person p ON p.person_id = c.person_id WHERE p.year_of_birth = 1905) t ON t.x = c2.visit_occurrence_id
--> not_linked_by_person
SELECT c2.person_id FROM condition_occurrence c2 JOIN (SELECT visit_occurrence_id AS x FROM visit_occurrence v FULL JOIN condition_occurrence c
USING (visit_occurrence_id) JOIN person p ON p.person_id = c.person_id WHERE p.year_of_birth = 1905) t ON t.x = c2.visit_occurrence_id
--> not_linked_by_person
SELECT t.x FROM (SELECT p.person_id AS x, bool_or(p.year_of_birth = 1905) OVER (PARTITION BY v.person_id) AS hit FROM death v
RIGHT JOIN person p USING (person_id) WHERE person_id IS NOT NULL) t WHERE t.hit
--> not_linked_by_person
SELECT o.person_id FROM person o WHERE o.person_id NOT IN (SELECT v.person_id FROM death v RIGHT JOIN person p USING (person_id)
WHERE person_id IS NOT NULL AND p.year_of_birth = 1905)
--> constant_not_allowed
SELECT person_id FROM person WHERE DATE '2000-01-01' - CASE WHEN year_of_birth = 1905 THEN age(to_date('99991231', 'YYYYMMDD'), DATE '2000-01-01') ELSE INTERVAL '1 day' END < '2000-01-01'
--> constant_not_allowed
SELECT accession_id, string_agg(s, ',') AS s FROM (SELECT i.accession_id, i.modality_concept_id, string_agg(c.concept_name, ',') AS s
FROM image_occurrence i JOIN concept c ON c.concept_id = i.modality_concept_id GROUP BY 1, 2) x GROUP BY 1
--> grouping_not_allowed
SELECT s, count(*) FROM (SELECT person_id, string_agg(DISTINCT visit_concept_id::text, ',') AS s FROM visit_occurrence GROUP BY person_id) x GROUP BY s
--> identifier_misused
SELECT accession_id, string_agg(visit_occurrence_id, ',') AS s FROM image_occurrence GROUP BY 1
--> identifier_misused
SELECT concat(person_id, ''), count(*) FROM person GROUP BY 1
--> grouping_not_allowed
SELECT concat(visit_start_date, ''), count(*) FROM visit_occurrence GROUP BY 1
--> grouping_not_allowed
SELECT concat_ws('-', value_as_number), count(*) FROM measurement GROUP BY 1
--> constant_not_allowed
SELECT concat(<<concept_name, *10>> 'x') || concat(<<concept_name, *10>> 'x') AS k, count(*) FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id GROUP BY 1
--> function_not_allowed
SELECT person_id FROM person WHERE concat() = ''
--> constant_not_allowed
SELECT replace(concept_name, 'a', concept_name) AS k, count(*) FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id GROUP BY 1
--> constant_not_allowed
SELECT replace(concept_name, 'a', 'aaaaaaaa') AS k, count(*) FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id GROUP BY 1
--> constant_not_allowed
SELECT split_part(concept_name, ' ', 0) AS k, count(*) FROM condition_occurrence JOIN concept ON concept_id = condition_concept_id GROUP BY 1
--> constant_not_allowed
SELECT person_id FROM person WHERE mod(1, year_of_birth - 1905) = 0
--> constant_not_allowed
SELECT person_id FROM measurement WHERE power(value_as_number, value_as_number) > 1
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE CASE WHEN visit_concept_id = 1 THEN to_date('2020-02-30', 'YYYY-MM-DD') ELSE visit_start_date END > visit_start_date
--> constant_not_allowed
SELECT person_id FROM visit_occurrence WHERE visit_start_date > '2020-02-30'
--> form_not_allowed
SELECT p.person_id FROM person p CROSS JOIN (VALUES (1), (2) ORDER BY (SELECT count(*) - 1 FROM death d WHERE d.person_id = 356) * column1 LIMIT 1) v(k) WHERE v.k = 1
--> form_not_allowed
SELECT p.person_id FROM person p JOIN (VALUES (1950), (1951) ORDER BY pg_sleep(2)) v(k) ON v.k = p.year_of_birth
--> form_not_allowed
WITH v AS (VALUES (1), (2) LIMIT 1) SELECT p.person_id FROM person p CROSS JOIN v WHERE v.column1 = 1
--> form_not_allowed
SELECT p.person_id FROM person p WHERE p.year_of_birth > 1900 AND 1 IN (VALUES (1), (2) ORDER BY (SELECT count(*) FROM person q WHERE q.person_id = 123) * column1 DESC LIMIT 1)
--> form_not_allowed
SELECT u.person_id FROM (SELECT p.person_id, row_number() OVER (w2 ORDER BY p.year_of_birth) AS n FROM person p WINDOW w1 AS (PARTITION BY p.person_id), w2 AS (w1)) u WHERE u.n = 1
--> function_not_allowed
SELECT u.person_id FROM (SELECT p.person_id, row_number() OVER (w2 PARTITION BY p.person_id) AS n FROM person p WINDOW w1 AS (ORDER BY pg_sleep(0.01)), w2 AS (w1)) u WHERE u.n = 1
--> form_not_allowed
SELECT person_id FROM person UNION SELECT person_id FROM death ORDER BY pg_sleep(1)
--> identifier_misused
SELECT p.person_id FROM person p WINDOW w AS (PARTITION BY 1 / (CASE WHEN p.person_id = 123 THEN 0 ELSE 1 END))
--> identifier_misused
SELECT gender_concept_id, count(*) FROM person p GROUP BY 1 WINDOW w AS (PARTITION BY 1 / (CASE WHEN p.person_id = 123 THEN 0 ELSE 1 END))
--> not_linked_by_person
SELECT DISTINCT p.person_id FROM person p WINDOW w AS (ORDER BY p.year_of_birth)
--> function_not_allowed
SELECT p.person_id FROM person p WINDOW w AS (ORDER BY pg_sleep(0.01))
--> table_not_allowed
SELECT p.person_id FROM person p WHERE (SELECT count(*) FROM death d WHERE d.person_id = p.person_id WINDOW w AS (ORDER BY (SELECT count(*) FROM pg_class))) >= 0
--> identifier_misused
SELECT p.person_id FROM person p WHERE EXISTS (SELECT d.person_id FROM death d WHERE d.person_id = p.person_id WINDOW w AS (ORDER BY 1 / (CASE WHEN d.person_id = 123 THEN 0 ELSE 1 END)))
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM condition_occurrence c JOIN person t ON t.person_id = c.person_id LEFT JOIN (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u ON u.person_id = c.person_id WHERE t.year_of_birth = 1924)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM person t LEFT JOIN (death d JOIN person q ON q.person_id = d.person_id AND q.person_id = p.person_id) ON d.person_id = t.person_id WHERE t.year_of_birth = 1924)
--> not_linked_by_person
SELECT p.person_id FROM person p JOIN visit_occurrence w ON w.person_id = p.person_id WHERE EXISTS (SELECT 1 FROM person t LEFT JOIN (visit_occurrence v JOIN death d ON d.person_id = v.person_id AND v.visit_occurrence_id = w.visit_occurrence_id) ON v.person_id = t.person_id WHERE t.year_of_birth = 1950)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE 0 < (SELECT count(*) FROM (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u RIGHT JOIN person t ON u.person_id = t.person_id WHERE t.year_of_birth = 1924)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u FULL JOIN death d USING (person_id) JOIN person t ON t.person_id = d.person_id WHERE t.year_of_birth = 1924)
--> not_linked_by_person
SELECT p.person_id FROM person p CROSS JOIN LATERAL (SELECT count(*) AS n FROM person t LEFT JOIN (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u ON u.person_id = t.person_id WHERE t.year_of_birth = 1924) l WHERE l.n > 0
--> not_linked_by_person
SELECT p.year_of_birth < 1950 AS k, count(*) FROM person p WHERE (SELECT t.year_of_birth FROM person t LEFT JOIN (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u ON u.person_id = t.person_id WHERE t.year_of_birth = 1924 LIMIT 1) > 0 GROUP BY 1
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE p.year_of_birth > ALL (SELECT t.year_of_birth FROM person t LEFT JOIN (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u ON u.person_id = t.person_id)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id UNION SELECT c.person_id FROM death c WHERE c.person_id = p.person_id) u RIGHT JOIN person t ON t.person_id = u.person_id WHERE t.year_of_birth = 1950)
--> not_linked_by_person
SELECT p.person_id FROM person p WHERE EXISTS (SELECT 1 FROM (SELECT t.person_id FROM person t LEFT JOIN (SELECT q.person_id FROM person q WHERE q.person_id = p.person_id) u ON u.person_id = t.person_id WHERE t.year_of_birth = 1950) z)
--> not_linked_by_person
SELECT p.person_id FROM person p, LATERAL (SELECT d.person_id FROM death d WHERE d.person_id = p.person_id) l RIGHT JOIN condition_occurrence c ON c.person_id = l.person_id WHERE c.condition_concept_id = 260139
--> operator_not_allowed
SELECT p.person_id FROM person p WHERE CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN (SELECT sum(q.year_of_birth) * sum(q.year_of_birth) * sum(q.year_of_birth) FROM person q WHERE q.person_id = p.person_id) ELSE 1 END > 0
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE CAST(power(CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN (SELECT sum(q.year_of_birth) FROM person q WHERE q.person_id = p.person_id) ELSE 1 END, 2) AS int8) > 0
--> operator_not_allowed
SELECT c.person_id FROM procedure_occurrence c WHERE (c.quantity * 200) * (c.quantity * 200) > 5
--> operator_not_allowed
SELECT c.person_id FROM measurement c WHERE NULLIF(20000, c.value_as_number) * NULLIF(20000, c.value_as_number) * NULLIF(20000, c.value_as_number) > 5
--> type_not_allowed
SELECT c.person_id FROM measurement c WHERE CAST((c.value_as_number * 20000) * (c.value_as_number * 20000) AS int8) > 5
--> type_not_allowed
SELECT c.person_id FROM measurement c WHERE CAST((c.value_as_number * 20000) * (c.value_as_number * 20000) / 2 AS int8) > 5
--> constant_not_allowed
SELECT c.person_id FROM measurement c WHERE INTERVAL '14 days' * c.value_as_number > INTERVAL '1 day'
--> type_not_allowed
SELECT p.person_id FROM person p WHERE CAST(CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN '2020-01-01' END AS int8) > 0
--> type_not_allowed
SELECT p.person_id FROM person p WHERE CAST(CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN '2020-01-01' END AS bool)
--> type_not_allowed
SELECT p.person_id FROM person p WHERE CAST((SELECT max(CASE WHEN q.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN '2020-01-01' END) FROM person q WHERE q.person_id = p.person_id) AS interval) > INTERVAL '1 day'
--> type_not_allowed
SELECT p.person_id FROM person p CROSS JOIN (VALUES ('2020-01-01'), ('2021-01-01')) v(d) WHERE CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN CAST(v.d AS int8) > 0 END
--> type_not_allowed
SELECT p.person_id FROM person p WHERE CAST(CASE WHEN p.year_of_birth = 1950 AND EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN CAST('2020-01-01' AS text) END AS int8) > 0
--> constant_not_allowed
SELECT p.person_id FROM person p CROSS JOIN (VALUES ('<<a*4000>>')) v(t) WHERE (SELECT length(string_agg(concat(v.t, a.condition_concept_id), ',')) FROM condition_occurrence a WHERE a.person_id = p.person_id) > 0
--> constant_not_allowed
SELECT p.person_id FROM person p CROSS JOIN (VALUES ('<<a*300>>')) v(t) WHERE (SELECT string_agg(DISTINCT CASE WHEN a.condition_concept_id > 5 THEN v.t END, ',') FROM condition_occurrence a WHERE a.person_id = p.person_id) <> ''
--> constant_not_allowed
SELECT p.person_id FROM person p WHERE (SELECT string_agg(a.condition_concept_id::text, ',') FROM condition_occurrence a JOIN condition_occurrence b ON a.person_id = b.person_id WHERE a.person_id = p.person_id) <> ''
--> constant_not_allowed
SELECT p.person_id FROM person p CROSS JOIN (VALUES ('<<a*2000>>')) v(t) WHERE length(v.t) * 20000 * 2 > 5
--> grouping_not_allowed
SELECT floor(mod(v.visit_start_date - DATE '2000-01-01', 7)) AS d, count(*) FROM visit_occurrence v GROUP BY 1
--> constant_not_allowed
SELECT c.person_id FROM device_exposure c WHERE c.quantity * 5000 > 5
