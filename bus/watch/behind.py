"""How far behind a consumer is, in records and in seconds, from the records that it took itself."""

from dataclasses import dataclass, field

from aiokafka import TopicPartition

from bus.decode import Record


@dataclass(frozen=True, slots=True)
class Lag:
    """``seconds`` is the age of the oldest record not yet applied, or a bound of it; 0 when there is none."""

    records: int
    seconds: float


@dataclass(slots=True)
class Behind:
    """Times are seconds of the Unix epoch; a record's own time is its producer's.

    Of a record that nobody took yet only this is known: it came after the last one taken, and after the last moment
    at which nothing was unread. The later of the two bounds its age.
    """

    _in_hand: dict[TopicPartition, Record] = field(default_factory=dict)
    _not_before: dict[TopicPartition, float] = field(default_factory=dict)

    def taken(self, partition: TopicPartition, first: Record) -> None:
        self._in_hand[partition] = first

    def applied(self, partition: TopicPartition, last: Record) -> None:
        self._in_hand.pop(partition, None)
        self._know(partition, last.timestamp / 1000)

    def forget(self, partition: TopicPartition) -> None:
        self._in_hand.pop(partition, None)
        self._not_before.pop(partition, None)

    def of(self, partition: TopicPartition, position: int, end: int, now: float) -> Lag:
        """``position`` is the next offset to be taken, ``end`` that of the next record to be written."""
        waiting = self._in_hand.get(partition)
        if waiting is not None:
            return Lag(max(1, end - waiting.offset), max(0.0, now - waiting.timestamp / 1000))
        if position >= end:
            self._know(partition, now)
            return Lag(0, 0.0)
        return Lag(end - position, max(0.0, now - self._not_before.setdefault(partition, now)))

    def _know(self, partition: TopicPartition, time: float) -> None:
        self._not_before[partition] = max(time, self._not_before.get(partition, 0.0))
