"""The functions of PostgreSQL that the reader may call: what accepted queries need, and nothing else.

`executable.txt` is the golden list. It follows from what the judge allows (`RULE`, which a test compares with it):
named functions, the functions behind allowed operators and casts, and what joins and sorts need. Everything else that
PostgreSQL lets everybody call is revoked, so a function that a later version brings is missed by `verify`.
"""

from functools import cache
from pathlib import Path

GOLDEN = Path(__file__).with_name("executable.txt")
OPERATORS = ("=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "||", "~~", "!~~", "~~*", "!~~*")
TYPES = (
    *("bool", "int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar", "bpchar"),
    *("date", "timestamp", "timestamptz", "interval"),
)
# The views of `about` compare oids and read names; a replica is asked how far it has replayed.
OWN = (
    *("oideq(oid,oid)", "oidne(oid,oid)", "texteq(text,text)", "text(name)"),
    *("pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()", "pg_last_xact_replay_timestamp()"),
    "pg_stat_get_wal_receiver()",
)

# These take regular expressions, which may run for ever.
NEVER = ('"substring"(text,text)', '"substring"(text,text,text)')

RULE = """
with allowed as (select oid from pg_type where typnamespace = 'pg_catalog'::regnamespace and typname = any($1)),
pseudo as (select oid from pg_type where typname in ('any', 'anyelement', 'anycompatible')),
texts as (select 'anynonarray'::regtype::oid as oid),
of_allowed as (
  select p.oid, p.proname from pg_proc p
  where p.pronamespace = 'pg_catalog'::regnamespace
    and not exists (
      select from unnest(p.proargtypes) as a where a not in (select oid from allowed union select oid from texts))
)
select p.oid::regprocedure::text from pg_proc p left join pg_aggregate a on a.aggfnoid = p.oid
  where p.proname = any($3) and p.pronamespace = 'pg_catalog'::regnamespace and coalesce(a.aggkind, 'n') = 'n'
    and not exists (
      select from unnest(p.proargtypes) as t
      where t not in (select oid from allowed)
        and (p.prokind = 'f' and p.provariadic = 0 or t not in (select oid from pseudo)))
union select f.oid::regprocedure::text from of_allowed f
  join pg_operator o on o.oprcode = f.oid where o.oprname = any($2)
union select f.oid::regprocedure::text from of_allowed f
  join pg_cast c on c.castfunc = f.oid where c.casttarget in (select oid from allowed)
union select f.oid::regprocedure::text from of_allowed f
  join pg_amproc s on s.amproc = f.oid join pg_am m on m.amname = 'hash'
  join pg_opfamily y on y.oid = s.amprocfamily and y.opfmethod = m.oid
union select unnest($4::text[])
except select unnest($5::text[])
order by 1
"""


@cache
def executable() -> frozenset[str]:
    """Return the signatures as PostgreSQL writes them, `int4eq(integer,integer)`."""
    return frozenset(line for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line)
