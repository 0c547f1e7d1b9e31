"""How an association ends other than by release."""

from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.pdu import Abort, Reject

NOT_KNOWN, UNEXPECTED, INVALID = (Abort(2, reason) for reason in (1, 2, 6))
"""The upper layer's own reasons (PS3.8 9.3.8): a type that is none, one out of turn, a parameter out of range."""
BY_USER, UNSPECIFIED = Abort(0, 0), Abort(2, 0)


class Broken(Exception):
    """We end it, and say so by `answer`."""

    def __init__(self, answer: Abort | Reject, count: Count) -> None:
        super().__init__(count)
        self.answer = answer
        self.count = count


class Left(Exception):
    """The peer is gone, in whatever manner; nobody is there to be answered."""

    def __init__(self, count: Count) -> None:
        super().__init__(count)
        self.count = count
