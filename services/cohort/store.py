"""The cohort service's tables."""

from bus.database import Connection
from bus.documents import Documents
from services.cohort.domain.state import Project, Query, Search
from services.cohort.domain.versions import Cohort

projects = Documents("project", Project)
queries = Documents("query", Query)
cohorts = Documents("cohort", Cohort)
searches = Documents("search", Search)


async def trusts(connection: Connection) -> tuple[str, ...]:
    return tuple(row["trust_id"] for row in await connection.fetch("select trust_id from trust"))


async def save_trust(connection: Connection, trust_id: str) -> None:
    await connection.execute("insert into trust (trust_id) values ($1) on conflict do nothing", trust_id)
