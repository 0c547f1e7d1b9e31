"""Queries a researcher may well send, and queries that would write, read what is private, or single someone out."""

from schemas.sql.refusal import RefusalCode as Code

GOOD_LISTS = [
    "SELECT person_id FROM person",
    "SELECT person_id FROM omop.person WHERE year_of_birth < 1980 AND gender_concept_id = 8507;",
    "SELECT accession_id FROM image_occurrence WHERE modality_concept_id = 4300757",
    "SELECT person_id, accession_id FROM image_occurrence ORDER BY image_occurrence_date LIMIT 300",
    (
        "SELECT i.accession_id, p.person_id FROM image_occurrence i JOIN person p ON p.person_id = i.person_id "
        "WHERE p.year_of_birth BETWEEN 1950 AND 1990"
    ),
    "SELECT DISTINCT person_id FROM measurement WHERE value_as_number / 2 > 3.5 -- a note at the end",
    (
        "SELECT person_id FROM person p WHERE NOT EXISTS "
        "(SELECT 1 FROM condition_occurrence c WHERE c.person_id = p.person_id AND c.condition_concept_id = 201826)"
    ),
    "SELECT person_id FROM visit_occurrence GROUP BY person_id HAVING count(*) >= 2",
    "SELECT person_id FROM person WHERE person_id IN (SELECT person_id FROM death)",
    (
        "SELECT c.person_id FROM condition_occurrence c JOIN concept_ancestor a "
        "ON a.descendant_concept_id = c.condition_concept_id WHERE a.ancestor_concept_id = 201826"
    ),
    (
        "SELECT c.person_id FROM condition_occurrence c WHERE c.condition_concept_id IN "
        "(SELECT concept_id FROM concept WHERE concept_name ILIKE '%insertion%' AND domain_id = 'Condition')"
    ),
    (
        "SELECT v.person_id FROM (SELECT person_id, row_number() OVER (PARTITION BY person_id "
        "ORDER BY visit_start_date) AS n FROM visit_occurrence) v WHERE v.n = 1"
    ),
    (
        "WITH both_kinds AS (SELECT person_id FROM condition_occurrence UNION SELECT person_id FROM death) "
        "SELECT person_id FROM both_kinds"
    ),
    (
        "SELECT f.person_id, i.accession_id FROM image_feature f JOIN image_occurrence i USING (image_occurrence_id) "
        "JOIN observation o ON o.observation_id = f.image_feature_event_id AND o.person_id = f.person_id "
        "WHERE f.image_feature_event_field_concept_id = 1147304 AND o.value_as_concept_id IN (4215818, 4196943)"
    ),
    (
        "SELECT p.person_id FROM person p WHERE (SELECT count(*) FROM measurement m "
        "WHERE m.person_id = p.person_id AND m.value_as_number > 6.5) >= 2"
    ),
    (
        "SELECT d.person_id FROM drug_exposure d JOIN condition_occurrence c ON c.person_id = d.person_id "
        "AND d.drug_exposure_start_date BETWEEN c.condition_start_date AND c.condition_start_date + interval '30 days'"
    ),
]

GOOD_TABLES = [
    "SELECT count(*) FROM person",
    "SELECT count(DISTINCT person_id) AS people FROM condition_occurrence",
    "SELECT gender_concept_id, count(*) FROM person GROUP BY gender_concept_id ORDER BY count(*) DESC",
    (
        "SELECT c.concept_name, count(DISTINCT p.person_id) AS n FROM person p "
        "JOIN concept c ON c.concept_id = p.gender_concept_id GROUP BY c.concept_name"
    ),
    "SELECT count(*), gender_concept_id, floor(year_of_birth / 10) AS d FROM person GROUP BY 2, d",
    "SELECT floor((2026 - year_of_birth) / 10) AS decade, count(*) FROM person GROUP BY decade",
    "SELECT extract(year FROM procedure_date), modifier_concept_id, count(*) FROM procedure_occurrence GROUP BY 1, 2",
    "SELECT count(*), CASE WHEN year_of_birth < 1960 THEN 'older' ELSE 'younger' END AS age FROM person GROUP BY age",
    "WITH d AS (SELECT person_id FROM condition_occurrence) SELECT count(*) FROM d",
    "SELECT count(*) FROM person p LEFT JOIN death d ON d.person_id = p.person_id WHERE d.person_id IS NULL",
]

HOSTILE = [
    # write, define, set, call, copy
    ("INSERT INTO person (person_id) VALUES (1)", Code.NOT_A_SELECT),
    ("UPDATE person SET year_of_birth = 1", Code.NOT_A_SELECT),
    ("DELETE FROM person", Code.NOT_A_SELECT),
    ("DROP TABLE person", Code.NOT_A_SELECT),
    ("SET ROLE postgres", Code.NOT_A_SELECT),
    ("DO $$ BEGIN END $$", Code.NOT_A_SELECT),
    ("CALL something()", Code.NOT_A_SELECT),
    ("COPY person TO PROGRAM 'cat'", Code.NOT_A_SELECT),
    ("EXPLAIN SELECT person_id FROM person", Code.NOT_A_SELECT),
    ("LISTEN x", Code.NOT_A_SELECT),
    ("COMMIT", Code.NOT_A_SELECT),
    ("WITH gone AS (DELETE FROM person RETURNING person_id) SELECT person_id FROM gone", Code.FORM),
    ("SELECT person_id INTO stolen FROM person", Code.FORM),
    ("SELECT person_id FROM person FOR UPDATE", Code.FORM),
    # more or less than one statement
    ("SELECT person_id FROM person; DROP TABLE person", Code.NOT_ONE_STATEMENT),
    ("COMMIT; SELECT person_id FROM person", Code.NOT_ONE_STATEMENT),
    ("", Code.NOT_ONE_STATEMENT),
    ("-- nothing", Code.NOT_ONE_STATEMENT),
    ("SELEC person_id FROM person", Code.SYNTAX),
    ("SELECT person_id FROM person WHERE concept_name = 'open", Code.SYNTAX),
    # text tricks and size
    ("SELECT person_id\0 FROM person", Code.BAD_CHARACTER),
    ("SELECT person_id FROM per\u200bson", Code.BAD_CHARACTER),
    ("SELECT person_id FROM person WHERE \ud800 = 1", Code.BAD_CHARACTER),
    ("SELECT person_id FROM person " + " " * 20_000, Code.TOO_LONG),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, Code.TOO_DEEP),
    ("SELECT person_id FROM person WHERE " + "NOT " * 4000 + "true", Code.TOO_DEEP),
    ("SELECT " + "- " * 9000 + "person_id FROM person", Code.TOO_DEEP),
    # other forms of the grammar
    ("VALUES (1)", Code.FORM),
    ("TABLE person", Code.STAR),
    ("SELECT * FROM person", Code.STAR),
    ("SELECT p.* FROM person p", Code.STAR),
    ("SELECT person_id FROM person OFFSET 3", Code.FORM),
    ("SELECT person_id FROM person TABLESAMPLE SYSTEM (1)", Code.FORM),
    ("SELECT person_id FROM person, LATERAL (SELECT 1) x", Code.FORM),
    ("SELECT person_id FROM person NATURAL JOIN death", Code.FORM),
    ("SELECT person_id FROM person p(person_id, b, c)", Code.FORM),
    ("SELECT person_id FROM ROWS FROM (pg_ls_dir('/')) AS person(person_id)", Code.FORM),
    ("WITH RECURSIVE r AS (SELECT person_id FROM person) SELECT person_id FROM r", Code.FORM),
    ("SELECT count(*) FILTER (WHERE year_of_birth = 1905) FROM person", Code.FORM),
    ("SELECT person_id FROM person WHERE year_of_birth = $1", Code.FORM),
    ("SELECT person_id FROM person WHERE current_user = 'x'", Code.FORM),
    ("SELECT ROW(person_id, year_of_birth) FROM person", Code.FORM),
    ("SELECT xmlelement(name a, person_id) FROM person", Code.FORM),
    ("SELECT person_id FROM person UNION SELECT person_id FROM death", Code.OUTPUT),
    ("SELECT person_id FROM person p RIGHT JOIN death d USING (person_id)", Code.FORM),
    ("SELECT DISTINCT ON (gender_concept_id) person_id FROM person", Code.FORM),
    ("SELECT count(*) FROM person GROUP BY GROUPING SETS (())", Code.FORM),
    # tables
    ("SELECT person_id FROM pg_catalog.pg_stats", Code.TABLE),
    ("SELECT person_id FROM information_schema.tables", Code.TABLE),
    ("SELECT person_id FROM pg_stat_activity", Code.TABLE),
    ("SELECT person_id FROM other.person", Code.TABLE),
    ('SELECT person_id FROM "Person"', Code.TABLE),
    ('SELECT person_id FROM U&"p\\0067_authid"', Code.TABLE),
    ("WITH person AS (SELECT person_id FROM death) SELECT person_id FROM person", Code.NAME),
    ("SELECT person_id FROM location", Code.TABLE),
    # columns
    ("SELECT person_source_value FROM person", Code.COLUMN),
    ("SELECT count(*) FROM person WHERE birth_datetime < '1950-01-01'", Code.COLUMN),
    ("SELECT person_id FROM note WHERE note_text LIKE '%Smith%'", Code.COLUMN),
    ("SELECT wadors_uri FROM image_occurrence", Code.COLUMN),
    ("SELECT i.local_path FROM image_occurrence i", Code.COLUMN),
    ("SELECT image_study_uid FROM image_occurrence", Code.COLUMN),
    ("SELECT ctid FROM person", Code.COLUMN),
    ("SELECT p FROM person p", Code.COLUMN),
    ("SELECT p::text FROM person p", Code.COLUMN),
    ("SELECT (p).person_source_value FROM person p", Code.FORM),
    ("SELECT person_source_value(p) FROM person p", Code.FUNCTION),
    ("SELECT row_to_json(p) FROM person p", Code.FUNCTION),
    ("SELECT omop.person.person_id FROM omop.person", Code.COLUMN),
    ("SELECT count(*) FROM person p, (SELECT 1 AS nhs_number) x WHERE nhs_number = 5", Code.NAME),
    ("SELECT gender_concept_id AS nhs, person_id FROM person GROUP BY nhs, 2", Code.COLUMN),
    # functions, types, operators
    ("SELECT pg_read_file('/etc/passwd')", Code.FUNCTION),
    ("SELECT person_id FROM person WHERE pg_sleep(9) IS NULL", Code.FUNCTION),
    ("SELECT person_id FROM person ORDER BY set_config('a', 'b', false)", Code.FUNCTION),
    ("SELECT query_to_xml('select 1', true, true, '')", Code.FUNCTION),
    ("SELECT ts_stat('select 1')", Code.FUNCTION),
    ("SELECT dblink('x', 'y')", Code.FUNCTION),
    ("SELECT lo_import('/etc/passwd')", Code.FUNCTION),
    ("SELECT person_id FROM person WHERE random() < 0.5", Code.FUNCTION),
    ("SELECT person_id FROM person WHERE floor(*) = 1", Code.FUNCTION),
    ("SELECT person_id FROM person WHERE date_trunc(*) = 1", Code.FUNCTION),
    ("SELECT person_id FROM person WHERE year_of_birth + 0xFFFFFFFFFF > 0", Code.CONSTANT),
    ("SELECT person_id FROM person WHERE year_of_birth / 0x7FFFFFFFFF > 0", Code.CONSTANT),
    ("SELECT person_id FROM person WHERE year_of_birth + 1e300 > 0", Code.CONSTANT),
    ("SELECT evil.count(person_id) FROM person", Code.FUNCTION),
    ("SELECT array_agg(person_id) FROM person", Code.FUNCTION),
    ("SELECT person_id FROM person, generate_series(1, 9)", Code.FORM),
    ("SELECT person_id FROM person WHERE 'pg_authid'::regclass IS NULL", Code.TYPE),
    ("SELECT person_id FROM concept JOIN person ON true WHERE concept_name::int4 = 1", Code.TYPE),
    ("SELECT person_id FROM person WHERE year_of_birth OPERATOR(pg_catalog.=) 1", Code.OPERATOR),
    ("SELECT p.person_id FROM person p JOIN concept c ON true WHERE c.concept_name ~ '(a+)+$'", Code.OPERATOR),
    ("SELECT person_id FROM person WHERE year_of_birth * 2000000 > 0", Code.OPERATOR),
    ("SELECT person_id FROM person WHERE 1 / (year_of_birth - 1905) > 0", Code.CONSTANT),
    ("SELECT person_id FROM person WHERE year_of_birth + 2147483647 > 0", Code.CONSTANT),
    ("SELECT person_id FROM person WHERE extract(nonsense FROM '2020-01-01'::date) > 0", Code.CONSTANT),
    ("SELECT person_id FROM death WHERE death_date + interval '200000000 years' > death_date", Code.CONSTANT),
    # singling out
    ("SELECT count(*) FROM person WHERE person_id = 5", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE person_id IN (1, 2)", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE person_id BETWEEN 1 AND 9", Code.IDENTIFIER),
    ("SELECT accession_id FROM image_occurrence WHERE accession_id LIKE 'A%'", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE coalesce(person_id, 0) = 5", Code.IDENTIFIER),
    ("SELECT s.x FROM (SELECT person_id AS x FROM person) s WHERE s.x = 5", Code.IDENTIFIER),
    ("SELECT p.person_id FROM person p JOIN (SELECT 5 AS person_id) k USING (person_id)", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE person_id = year_of_birth", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE person_id IN (SELECT 5)", Code.IDENTIFIER),
    ("SELECT person_id FROM person WHERE person_id = ANY (ARRAY[5])", Code.IDENTIFIER),
    ("SELECT max(person_id) FROM person", Code.IDENTIFIER),
    ("SELECT u.person_id FROM (SELECT person_id FROM death UNION SELECT 5) u", Code.IDENTIFIER),
    # one person's secret told by everybody's count
    ("SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM person q WHERE q.year_of_birth = 1905)", Code.UNLINKED),
    ("SELECT person_id FROM person WHERE year_of_birth < (SELECT max(year_of_birth) FROM person)", Code.UNLINKED),
    ("SELECT p.person_id FROM person p, person q WHERE q.year_of_birth = 1905", Code.UNLINKED),
    ("SELECT p.person_id FROM person p JOIN person q ON p.person_id = q.person_id OR true", Code.UNLINKED),
    ("SELECT p.person_id FROM person p LEFT JOIN death d ON true WHERE d.person_id IS NOT NULL", Code.UNLINKED),
    (
        (
            "SELECT p.person_id FROM person p CROSS JOIN person q "
            "LEFT JOIN death d ON d.person_id = p.person_id AND d.person_id = q.person_id"
        ),
        Code.UNLINKED,
    ),
    ("SELECT p.person_id FROM person p JOIN (SELECT count(*) AS n FROM death) d ON d.n > 3", Code.UNLINKED),
    (
        "SELECT v.person_id FROM (SELECT person_id, max(year_of_birth) OVER () AS y FROM person) v WHERE v.y = 2009",
        Code.UNLINKED,
    ),
    (
        (
            "SELECT person_id FROM person WHERE gender_concept_id IN "
            "(SELECT gender_concept_id FROM person WHERE year_of_birth = 1905)"
        ),
        Code.UNLINKED,
    ),
    (
        (
            "SELECT p.person_id FROM person p JOIN visit_occurrence v "
            "ON v.preceding_visit_occurrence_id = v.preceding_visit_occurrence_id"
        ),
        Code.UNLINKED,
    ),
    # not a list, not a table of counts
    ("SELECT 1", Code.OUTPUT),
    ("SELECT year_of_birth FROM person", Code.OUTPUT),
    ("SELECT person_id, year_of_birth FROM person", Code.OUTPUT),
    ("SELECT min(year_of_birth) AS count FROM person", Code.OUTPUT),
    ("SELECT count(*) * 1000 FROM person", Code.OPERATOR),
    ("SELECT count(*) + 1000 FROM person", Code.OUTPUT),
    ("SELECT CASE WHEN count(*) = 3 THEN 'yes' END FROM person", Code.OUTPUT),
    ("SELECT count(*) OVER (PARTITION BY person_id) FROM person", Code.OUTPUT),
    ("SELECT count(visit_occurrence_id) FROM visit_occurrence", Code.OUTPUT),
    ("SELECT person_id, count(*) FROM visit_occurrence GROUP BY person_id", Code.OUTPUT),
    ("SELECT (SELECT year_of_birth FROM person), count(*) FROM death GROUP BY 1", Code.FORM),
    ("SELECT value_as_number, count(*) FROM measurement GROUP BY 1", Code.GROUPING),
    ("SELECT measurement_date, count(*) FROM measurement GROUP BY measurement_date", Code.GROUPING),
    ("SELECT gender_concept_id, count(*) FROM person GROUP BY gender_concept_id, year_of_birth", Code.GROUPING),
    ("SELECT gender_concept_id, count(*) FROM person GROUP BY 1 HAVING count(*) >= 137", Code.GROUPING),
    ("SELECT gender_concept_id, count(*) FROM person GROUP BY 1 ORDER BY pg_sleep(1)", Code.GROUPING),
    ("SELECT gender_concept_id, count(*) FROM person GROUP BY 1 LIMIT 1", Code.LIMIT),
    ("SELECT person_id FROM person LIMIT (SELECT count(*) FROM death)", Code.LIMIT),
    ("SELECT p.person_id FROM (SELECT person_id FROM person LIMIT 1) p", Code.LIMIT),
    ("SELECT count(*) FROM concept", Code.NO_PERSON),
]
