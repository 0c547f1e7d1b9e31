"""What an administrator's connection asks the catalogue, before a plan is made."""

SERVER = """
select current_database() as database, current_setting('server_version') as version,
  (select rolsuper from pg_roles where rolname = current_user) as superuser, pg_is_in_recovery() as recovery
"""
ROLES = "select rolname from pg_roles"
READERS = "select rolname from pg_roles where shobj_description(oid, 'pg_authid') like 'trustflow%'"
# Superusers are not held by rights, and roles of the system belong to nobody.
GUESTS = """
select rolname from pg_roles where not rolsuper and rolname not like 'pg\\_%'
  and has_database_privilege(oid, current_database(), 'CONNECT')
  and coalesce(shobj_description(oid, 'pg_authid'), '') not like 'trustflow%' and rolname not like 'trustflow\\_%'
"""
MEMBERS = """
select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
where g.rolname = $1
"""
GROUPS = """
select quote_ident(g.rolname) from pg_auth_members a
  join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
where m.rolname = $1
"""
IS_PLAIN = """
select not (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls or rolinherit)
  and rolconnlimit between 1 and 16 from pg_roles where rolname = $1
"""
COLUMNS = """
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v', 'm', 'p', 'f')
  and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""
# grantee 0 is PUBLIC
FUNCTIONS = """
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace
  and (p.proacl is null or exists (select from aclexplode(p.proacl) r where r.grantee = 0))
"""
RELATIONS = """
select c.oid::regclass::text, string_agg(r.privilege_type, ', ' order by r.privilege_type)
from pg_class c, aclexplode(c.relacl) r where r.grantee = 0 group by c.oid
union all
select c.oid::regclass::text, string_agg(r.privilege_type || ' (' || quote_ident(a.attname) || ')', ', ')
from pg_attribute a join pg_class c on c.oid = a.attrelid, aclexplode(a.attacl) r where r.grantee = 0 group by c.oid
"""
SCHEMAS = """
select n.nspname, string_agg(r.privilege_type, ', ' order by r.privilege_type)
from pg_namespace n, aclexplode(n.nspacl) r
where r.grantee = 0 and n.nspname <> 'pg_catalog' group by n.nspname
"""
LANGUAGES = """
select quote_ident(l.lanname) from pg_language l where l.lanpltrusted
  and (l.lanacl is null or exists (select from aclexplode(l.lanacl) r where r.grantee = 0))
"""
DATABASE = """
select r.privilege_type from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) r
where d.datname = current_database() and r.grantee = 0
"""
READER_GRANTS = """
select distinct c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_attribute a on a.attrelid = c.oid
  cross join lateral (select * from aclexplode(c.relacl) union all select * from aclexplode(a.attacl)) r
  join pg_roles g on g.oid = r.grantee
where g.rolname = $1 and n.nspname <> all($2)
"""
READER_SCHEMAS = """
select n.nspname from pg_namespace n, aclexplode(n.nspacl) r join pg_roles g on g.oid = r.grantee
where g.rolname = $1 and n.nspname <> all($2)
"""
READER_SETTINGS = """
select split_part(s.one, '=', 1), substr(s.one, strpos(s.one, '=') + 1)
from pg_db_role_setting d cross join lateral unnest(d.setconfig) as s(one)
  join pg_roles g on g.oid = d.setrole join pg_database b on b.oid = d.setdatabase
where g.rolname = $1 and b.datname = current_database()
"""
COMMENTS = "select nspname, coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace"
READER_FUNCTIONS = """
select p.oid::regprocedure::text from pg_proc p, aclexplode(p.proacl) r join pg_roles g on g.oid = r.grantee
where g.rolname = $1
"""
READER_DATABASE = """
select r.privilege_type from pg_database d, aclexplode(d.datacl) r join pg_roles g on g.oid = r.grantee
where d.datname = current_database() and g.rolname = $1
"""
WITHHELD = """
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace and p.proacl is not null and not exists (
  select from aclexplode(p.proacl) r where r.grantee = 0 or r.grantee = (select oid from pg_roles where rolname = $1))
"""
TRIGRAMS = """
select coalesce((select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pg_trgm'), '') from pg_available_extensions where name = 'pg_trgm'
"""
NAMES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid
  join unnest($2::text[], $3::text[]) as wanted(named, col) on wanted.named = c.relname and wanted.col = a.attname
where n.nspname = $1 and c.relkind in ('r', 'm', 'p') and not exists (
  select from pg_index i join pg_opclass o on o.oid = any(i.indclass)
  where i.indrelid = c.oid and a.attnum = any(i.indkey) and o.opcname in ('gin_trgm_ops', 'gist_trgm_ops'))
"""
