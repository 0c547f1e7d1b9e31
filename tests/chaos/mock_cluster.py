"""librdkafka's mock cluster: a broker in this process that answers with whatever error it was told to.

The functions are those of librdkafka's `rdkafka_mock.h`, called in the library that confluent-kafka brings along.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import confluent_kafka

from schemas.topics import Topic

ERROR_TEXT_BYTES = 512
PRODUCER = 0
BROKER = 1


class Request(IntEnum):
    """API keys of Kafka's protocol."""

    PRODUCE = 0
    FETCH = 1
    OFFSET_COMMIT = 8
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12


class Error(IntEnum):
    """Error codes of Kafka's protocol."""

    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER_FOR_PARTITION = 6
    REQUEST_TIMED_OUT = 7
    MESSAGE_TOO_LARGE = 10
    COORDINATOR_LOAD_IN_PROGRESS = 14
    COORDINATOR_NOT_AVAILABLE = 15
    NOT_COORDINATOR = 16
    NOT_ENOUGH_REPLICAS = 19
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20
    ILLEGAL_GENERATION = 22
    UNKNOWN_MEMBER_ID = 25
    REBALANCE_IN_PROGRESS = 27


@dataclass(frozen=True, slots=True)
class MockCluster:
    _library: Any
    _cluster: ctypes.c_void_p

    @property
    def bootstrap(self) -> str:
        addresses: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return addresses.decode()

    def create(self, topic: Topic) -> None:
        name = topic.name.encode()
        _check(self._library.rd_kafka_mock_topic_create(self._cluster, name, topic.partitions, 1), topic.name)

    def answer(self, request: Request, errors: Sequence[Error]) -> None:
        """Answer the next requests of this kind with these errors, one each."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(request), ctypes.c_size_t(len(errors)), codes
        )

    def go_down(self) -> None:
        _check(self._library.rd_kafka_mock_broker_set_down(self._cluster, BROKER), "down")

    def come_up(self) -> None:
        _check(self._library.rd_kafka_mock_broker_set_up(self._cluster, BROKER), "up")

    def take_ms(self, milliseconds: int) -> None:
        """Answer every request so much later."""
        _check(self._library.rd_kafka_mock_broker_set_rtt(self._cluster, BROKER, milliseconds), "rtt")


@contextmanager
def mock_cluster() -> Iterator[MockCluster]:
    """One broker on the loopback interface, without login, ACLs or a memory for what it was told to forget."""
    library = _library()
    text = ctypes.create_string_buffer(ERROR_TEXT_BYTES)
    handle = library.rd_kafka_new(PRODUCER, library.rd_kafka_conf_new(), text, ERROR_TEXT_BYTES)
    if not handle:
        raise RuntimeError(f"librdkafka did not start: {text.value.decode()}")
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(ctypes.c_void_p(handle), 1))
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
    try:
        yield MockCluster(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(ctypes.c_void_p(handle))


def _library() -> Any:
    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    (file,) = folder.glob("librdkafka-*")
    library = ctypes.CDLL(str(file))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


def _check(code: int, what: str) -> None:
    if code:
        raise RuntimeError(f"the mock cluster refused {what}: librdkafka's error {code}")
