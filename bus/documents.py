"""An aggregate's state as one row: read and locked, decided upon, written back, all in the unit of work."""

from typing import Generic, TypeVar

from pydantic import BaseModel

from bus.database import Connection

S = TypeVar("S", bound=BaseModel)


class Documents(Generic[S]):
    """A table ``(id text primary key, state jsonb)``; the model says what the state holds."""

    def __init__(self, table: str, model: type[S]) -> None:
        self._table = table
        self._model = model

    async def load(self, connection: Connection, id_: str) -> S | None:
        row = await connection.fetchval(f"select state from {self._table} where id = $1 for update", id_)  # noqa: S608  a constant of ours
        return None if row is None else self._model.model_validate(row)

    async def save(self, connection: Connection, id_: str, state: S) -> None:
        await connection.execute(
            f"""insert into {self._table} (id, state) values ($1, $2)
                on conflict (id) do update set state = excluded.state""",  # noqa: S608  a constant of ours
            id_,
            state.model_dump(mode="json"),
        )
