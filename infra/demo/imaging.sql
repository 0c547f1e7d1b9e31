-- MI-CDM, the imaging extension of OMOP CDM 5.4, with FLIP's accession_id.
create table image_occurrence (
    image_occurrence_id integer primary key,
    person_id integer not null references person,
    procedure_occurrence_id integer not null references procedure_occurrence,
    visit_occurrence_id integer,
    anatomic_site_concept_id integer,
    wadors_uri varchar,
    local_path varchar,
    image_occurrence_date date not null,
    image_study_uid varchar(250) not null,
    image_series_uid varchar(250) not null,
    modality_concept_id integer not null,
    accession_id varchar(255) not null
);
create index on image_occurrence (person_id);

create table image_feature (
    image_feature_id integer primary key,
    person_id integer not null references person,
    image_occurrence_id integer not null references image_occurrence,
    image_feature_event_field_concept_id integer,
    image_feature_event_id integer,
    image_feature_concept_id integer not null,
    image_feature_type_concept_id integer not null,
    image_finding_concept_id integer,
    image_finding_id integer,
    anatomic_site_concept_id integer,
    alg_system varchar,
    alg_datetime timestamp
);

insert into concept values
    (4013636, 'Magnetic resonance imaging', 'Procedure', 'SNOMED', 'Procedure', 'S', '113091000', '1970-01-01', '2099-12-31', null)
on conflict do nothing;
