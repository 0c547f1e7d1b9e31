"""The kinds of failure a handler may raise; nothing else is meant to cross ``handlers.py``."""


class Transient(Exception):
    """It may work in a moment: the partition pauses, the record is tried again, a bounded number of times."""


class Late(Transient):
    """Something this command builds on is not known here yet. When patience ends, the command is rejected so."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Poison(Exception):
    """This record can never be read: dead-lettered at once. ``code`` is stable and carries no payload."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Rejection(Exception):
    """A command is refused and changes nothing: a stable code and a plain sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
