"""The aggregator's tables."""

from typing import Any

from bus.database import Connection
from schemas.aggregation import UpdateVerified
from schemas.manifest import Manifest


async def is_finished(pool: Any, run_id: str) -> bool:
    return bool(await pool.fetchval("select true from finished where run_id = $1", run_id))


async def save_finished(connection: Connection, run_id: str) -> None:
    await connection.execute("insert into finished values ($1) on conflict do nothing", run_id)
    await connection.execute("delete from verified where run_id = $1", run_id)


async def global_model(pool: Any, run_id: str, round_: int) -> Manifest | None:
    row = await pool.fetchval("select manifest from global_model where run_id = $1 and round = $2", run_id, round_)
    return None if row is None else Manifest.model_validate(row)


async def save_global_model(connection: Connection, run_id: str, round_: int, manifest: Manifest) -> None:
    await connection.execute(
        "insert into global_model values ($1, $2, $3) on conflict do nothing",
        run_id,
        round_,
        manifest.model_dump(mode="json"),
    )


async def save_verified(connection: Connection, update: UpdateVerified) -> None:
    await connection.execute(
        "insert into verified values ($1, $2, $3, $4, $5) on conflict do nothing",
        update.run_id,
        update.round,
        update.trust_id,
        update.manifest.sha256,
        update.manifest.model_dump(mode="json"),
    )


async def verified(pool: Any, run_id: str, round_: int) -> dict[tuple[str, str], Manifest]:
    """Return the verified manifests of a round by trust and digest."""
    rows = await pool.fetch(
        "select trust_id, digest, manifest from verified where run_id = $1 and round = $2", run_id, round_
    )
    return {(row["trust_id"], row["digest"]): Manifest.model_validate(row["manifest"]) for row in rows}
