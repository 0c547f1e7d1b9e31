-- 20,000 persons with about 400,000 rows, in the CDM as OHDSI's scripts and infra/demo/imaging.sql make it.
insert into concept
  select n, 'Finding ' || n, (array['Condition', 'Drug', 'Measurement'])[1 + n % 3], 'SNOMED', 'Class', 'S', 'C' || n,
    '1970-01-01', '2099-12-31', null from generate_series(10000001, 10002000) n;
insert into concept (concept_id, concept_name, domain_id, vocabulary_id, concept_class_id, standard_concept,
  concept_code, valid_start_date, valid_end_date)
  select id, name, 'Condition', 'SNOMED', 'Class', 'S', id::text, '1970-01-01', '2099-12-31' from (values
    (8507, 'MALE'), (8532, 'FEMALE'), (201820, 'Diabetes mellitus'), (201826, 'Type 2 diabetes mellitus'),
    (312327, 'Acute myocardial infarction'), (40481087, 'Viral sinusitis'), (4300757, 'Computed tomography'),
    (4215818, 'Pleural effusion'), (3004249, 'Systolic blood pressure')) as named(id, name);
insert into concept_ancestor select (n - 10000001) / 7 + 10000001, n, 1, 1 from generate_series(10000002, 10002000) n;
insert into concept_ancestor values (201820, 201820, 0, 0), (201820, 201826, 1, 1), (201826, 201826, 0, 0);
insert into concept_synonym select concept_id, concept_name || ' of the chart', 4180186 from concept;
insert into concept_relationship select n, n - n % 7, 'Maps to', '1970-01-01', '2099-12-31'
  from generate_series(10000001, 10002000) n;
insert into person (person_id, gender_concept_id, year_of_birth, race_concept_id, ethnicity_concept_id)
  select n, 8507 + n % 2 * 25, 1925 + (hashint4(n) & 63), 8527, 0 from generate_series(1, 20000) n;
insert into observation_period select n, n, date '2005-01-01' + n % 2000, date '2022-01-01' + n % 700, 0
  from generate_series(1, 20000) n;
insert into death (person_id, death_date) select n, date '2015-01-01' + n % 3000 from generate_series(1, 20000, 12) n;
create temporary table day as
  select row_number() over ()::int as id, n as person_id, hashint4(n * 64 + k) & 1048575 as h,
    date '2008-01-01' + (hashint4(k * 64 + n) & 4095) as at
  from generate_series(1, 20000) n, lateral generate_series(1, hashint4(n) & 15) k;
insert into visit_occurrence (visit_occurrence_id, person_id, visit_concept_id, visit_start_date,
  visit_start_datetime, visit_end_date, visit_end_datetime, visit_type_concept_id)
  select id, person_id, 9201 + h % 3, at, at + interval '9 hours', at + h % 9, at + h % 9 + interval '15 hours', 0
  from day where h % 2 = 0;
insert into condition_occurrence (condition_occurrence_id, person_id, condition_concept_id, condition_start_date,
  condition_end_date, condition_type_concept_id, visit_occurrence_id, condition_source_concept_id)
  select id, person_id, coalesce((array[312327, 201826, 40481087])[h % 16], 10000001 + h % 300), at, at + 20, 0, id,
    10000001 + h % 300 from day where h % 3 > 0;
insert into condition_era
  select condition_occurrence_id, person_id, condition_concept_id, condition_start_date, condition_end_date, 1
  from condition_occurrence where condition_occurrence_id % 2 = 0;
insert into drug_exposure (drug_exposure_id, person_id, drug_concept_id, drug_exposure_start_date,
  drug_exposure_end_date, drug_type_concept_id, quantity, days_supply, visit_occurrence_id)
  select id, person_id, 10000301 + h % 200, at, at + h % 60, 0, h % 60, h % 90, id from day where h % 3 = 0;
insert into drug_era select drug_exposure_id, person_id, drug_concept_id, drug_exposure_start_date,
  drug_exposure_end_date, 1 + drug_exposure_id % 5, 0 from drug_exposure where drug_exposure_id % 2 = 0;
insert into measurement (measurement_id, person_id, measurement_concept_id, measurement_date,
  measurement_type_concept_id, value_as_number, unit_concept_id, range_low, range_high, visit_occurrence_id)
  select id, person_id, coalesce((array[3004249, 3025315])[h % 8], 10000501 + h % 60), at, 0, 60 + h % 120, 8876, 60,
    140, id from day;
insert into procedure_occurrence (procedure_occurrence_id, person_id, procedure_concept_id, procedure_date,
  procedure_type_concept_id) select id, person_id, 4013636, at, 0 from day where h % 8 = 0;
insert into image_occurrence (image_occurrence_id, person_id, procedure_occurrence_id, image_occurrence_date,
  image_study_uid, image_series_uid, modality_concept_id, accession_id, visit_occurrence_id)
  select procedure_occurrence_id * 2 + series, person_id, procedure_occurrence_id, procedure_date, '2.25', '2.25.1',
    (array[4300757, 4013636])[1 + procedure_occurrence_id % 2], 'ACC' || procedure_occurrence_id,
    procedure_occurrence_id from procedure_occurrence, generate_series(0, 1) series;
insert into observation (observation_id, person_id, observation_concept_id, observation_date,
  observation_type_concept_id, value_as_concept_id)
  select image_occurrence_id, person_id, 4052536, image_occurrence_date, 0, 4215818 from image_occurrence
  where image_occurrence_id % 4 = 0;
insert into image_feature (image_feature_id, person_id, image_occurrence_id, image_feature_event_field_concept_id,
  image_feature_event_id, image_feature_concept_id, image_feature_type_concept_id)
  select observation_id, person_id, observation_id, 1147304, observation_id, 4052536, 0 from observation;
create schema hospital;
create table hospital.gone as select n as person_id from generate_series(7, 20000, 20) n;
