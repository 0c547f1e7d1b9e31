"""The project service's tables."""

from bus.database import Connection
from bus.documents import Documents
from bus.uow import UnitOfWork
from services.project.domain import Project, Query, Surroundings

projects = Documents("project", Project)
queries = Documents("query", Query)


async def surroundings(uow: UnitOfWork, query_id: str | None) -> Surroundings:
    rows = await uow.connection.fetch("select trust_id, approvers from trust")
    query = await queries.load(uow, query_id) if query_id else None
    return Surroundings(query=query, approvers={row["trust_id"]: tuple(row["approvers"]) for row in rows})


async def save_trust(connection: Connection, trust_id: str, approvers: tuple[str, ...]) -> None:
    await connection.execute(
        """insert into trust (trust_id, approvers) values ($1, $2)
           on conflict (trust_id) do update set approvers = excluded.approvers""",
        trust_id,
        list(approvers),
    )
