"""Health by progress, not by pulse: a participant is well when what waits for it moves."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from faststream.asgi import AsgiResponse, get

from bus.consumer import DATABASE_TROUBLE, Consumer
from bus.relay import Relay
from bus.watch.survey import waiting

STUCK_AFTER_S = 30.0


class Health:
    """Answers 200 and a JSON document of findings, or 503 when one of them is a fault.

    ``unready`` names work that is refused for now; the rest goes on, so it is no fault.
    """

    def __init__(
        self, name: str, consumer: Consumer, relay: Relay, unready: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self.name = name
        self.consumer = consumer
        self.relay = relay
        self.unready = unready

    async def findings(self) -> dict[str, Any]:
        oldest = await self._oldest_unsaid_s()
        faults = [
            *([f"consumer halted: {self.consumer.halted}"] if self.consumer.halted else ()),
            *(["no partitions are assigned"] if not self._assigned() else ()),
            *(["the database does not answer"] if oldest is None else ()),
            *([f"the outbox has waited {oldest:.0f} s"] if oldest and oldest > STUCK_AFTER_S else ()),
            *(["the relay does not move"] if self._relay_age_s() > STUCK_AFTER_S else ()),
        ]
        return {
            "name": self.name,
            "healthy": not faults,
            "faults": faults,
            "unready": list(self.unready()),
            "held_topics": dict(self.relay.held),
            "outbox_oldest_s": None if oldest is None else round(oldest, 3),
        }

    def _assigned(self) -> bool:
        return self.consumer.kafka is not None and bool(self.consumer.kafka.assignment())

    def _relay_age_s(self) -> float:
        return (datetime.now(UTC) - self.relay.alive_at).total_seconds()

    async def _oldest_unsaid_s(self) -> float | None:
        try:
            return (await waiting(self.consumer.pool)).outbox_oldest_s
        except DATABASE_TROUBLE:
            return None


def health_route(health: Health) -> Callable[..., Awaitable[Any]]:
    @get
    async def answer(_scope: Any) -> AsgiResponse:
        findings = await health.findings()
        return AsgiResponse(
            json.dumps(findings).encode(),
            status_code=200 if findings["healthy"] else 503,
            headers={"content-type": "application/json"},
        )

    return answer
