--> not_a_select
INSERT INTO person (person_id) VALUES (1)
--> not_a_select
UPDATE person SET year_of_birth = 1
--> not_a_select
DELETE FROM person
--> not_a_select
MERGE INTO person p USING death d ON p.person_id = d.person_id WHEN MATCHED THEN DELETE
--> not_a_select
DROP TABLE person
--> not_a_select
TRUNCATE person
--> not_a_select
CREATE TABLE stolen AS SELECT person_id FROM person
--> not_a_select
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'
--> not_a_select
ALTER ROLE reader SUPERUSER
--> not_a_select
GRANT SELECT ON person TO public
--> not_a_select
SET ROLE postgres
--> not_a_select
SET statement_timeout = 0
--> not_a_select
RESET ALL
--> not_a_select
SHOW data_directory
--> not_a_select
DO 'BEGIN END'
--> not_a_select
CALL something()
--> not_a_select
COPY person TO PROGRAM 'cat'
--> not_a_select
COPY (SELECT person_id FROM person) TO STDOUT
--> not_a_select
EXPLAIN SELECT person_id FROM person
--> not_a_select
EXPLAIN ANALYZE SELECT person_id FROM person
--> not_a_select
PREPARE p AS SELECT person_id FROM person
--> not_a_select
EXECUTE p
--> not_a_select
DECLARE c CURSOR FOR SELECT person_id FROM person
--> not_a_select
LISTEN x
--> not_a_select
NOTIFY x, 'y'
--> not_a_select
LOAD 'plpgsql'
--> not_a_select
VACUUM person
--> not_a_select
LOCK TABLE person
--> not_a_select
COMMIT
--> not_a_select
BEGIN
--> form_not_allowed
WITH gone AS (DELETE FROM person RETURNING person_id) SELECT person_id FROM gone
--> form_not_allowed
WITH w AS (INSERT INTO death SELECT person_id FROM person RETURNING person_id) SELECT person_id FROM w
--> form_not_allowed
SELECT person_id INTO stolen FROM person
--> form_not_allowed
SELECT person_id FROM person FOR UPDATE
--> form_not_allowed
SELECT person_id FROM person FOR KEY SHARE SKIP LOCKED
--> not_one_statement
SELECT person_id FROM person; DROP TABLE person
--> not_one_statement
COMMIT; SELECT person_id FROM person
--> not_one_statement
SELECT person_id FROM person;;SELECT person_id FROM death
--> not_one_statement
/* */ -- nothing
--> not_one_statement
;
--> syntax
SELEC person_id FROM person
--> syntax
SELECT person_id FROM person WHERE concept_name = 'open
--> syntax
SELECT person_id FROM person /* open
--> syntax
SELECT person_id FROM person WHERE
--> syntax
\! ls
--> syntax
SELECT person_id FROM person GO DROP TABLE person
