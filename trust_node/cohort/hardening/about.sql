-- What the reader says of itself. No function is called here: in a view they are checked as the reader's own.
create view $about.exposed as
select 'function' as kind, p.oid::regprocedure::text as name from pg_catalog.pg_proc as p
  where p.pronamespace = 'pg_catalog'::regnamespace and (p.proacl is null or $open_function)
union all
select 'relation', c.oid::regclass::text from pg_catalog.pg_class as c
  where ($open_relation or c.relowner = $reader) and c.relnamespace <> all (array[$ours])
union all
select 'column', c.oid::regclass::text from pg_catalog.pg_attribute as a
  join pg_catalog.pg_class as c on c.oid = a.attrelid
  where $open_column and c.relnamespace <> all (array[$ours])
union all
select 'schema', n.oid::regnamespace::text from pg_catalog.pg_namespace as n
  where ($open_schema or n.nspowner = $reader) and n.oid <> all (array['pg_catalog'::regnamespace, $ours])
union all
select 'language', l.lanname::text from pg_catalog.pg_language as l
  where l.lanpltrusted and (l.lanacl is null or $open_language)
union all
select 'database', 'temporary tables or schemas' from pg_catalog.pg_database as d
  where d.datname::text = '$database' and (d.datacl is null or d.datdba = $reader or $open_database)
union all
select 'membership', m.roleid::regrole::text from pg_catalog.pg_auth_members as m where m.member = $reader
union all
select 'attribute', 'more than LOGIN' from pg_catalog.pg_roles as r
  where r.oid = $reader and
    (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls or r.rolinherit);

create view $about.columns as
select c.relname::text as table_name, a.attname::text as column_name from pg_catalog.pg_attribute as a
  join pg_catalog.pg_class as c on c.oid = a.attrelid
  where c.relnamespace = '$views'::regnamespace and a.attnum > 0 and not a.attisdropped;

create view $about.indexes as
select c.relname::text as table_name, a.attname::text as column_name, i.indisunique and i.indnkeyatts = 1 as is_key
  from pg_catalog.pg_index as i
  join pg_catalog.pg_class as c on c.oid = i.indrelid
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[0]
  where c.relnamespace <> all (array['pg_catalog'::regnamespace, $ours]);

create view $about.release as $release
