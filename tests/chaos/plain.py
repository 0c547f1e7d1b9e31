"""A participant that does not log in: the mock cluster knows no SASL."""

import logging
from functools import partial
from typing import Any

from faststream.kafka import KafkaBroker

from bus.consumer import Consumer
from bus.login import Login
from bus.participant import STOP_WITHIN_S, Participant


class NoLogin(Login):
    def options(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.bootstrap}


class PlainParticipant(Participant):
    """Sent out of its group, it is missed for two seconds only: the mock waits for those who are gone."""

    @property
    def _login(self) -> Login:
        return NoLogin(self.settings.kafka_bootstrap, self.name, "")

    def _broker(self) -> KafkaBroker:
        return KafkaBroker(
            self.settings.kafka_bootstrap,
            client_id=self.name,
            apply_types=False,
            serializer=None,
            allow_auto_create_topics=False,
            graceful_timeout=STOP_WITHIN_S,
            log_level=logging.DEBUG,
        )

    def _subscribe(self, broker: KafkaBroker, consumer: Consumer) -> Any:
        broker.subscriber = partial(broker.subscriber, session_timeout_ms=2000, heartbeat_interval_ms=300)
        return super()._subscribe(broker, consumer)
