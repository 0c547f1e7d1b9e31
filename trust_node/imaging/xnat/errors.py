"""How an XNAT says no, or nothing at all."""


class XnatUnreachableError(Exception):
    """XNAT does not answer, or keeps answering 5xx; trying again later may help."""


class XnatRefusedError(Exception):
    """XNAT answered no; `status` is its HTTP status (200 when only the body told of the error)."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"{what}: XNAT answers {status}")
        self.status = status


class PrearchivedError(XnatRefusedError):
    """An import ended in the prearchive; `state` is XNAT's word for why: `CONFLICT`, `ERROR`, `RECEIVING` ..."""

    def __init__(self, status: int, state: str) -> None:
        super().__init__(status, f"import: the session lies in the prearchive as {state}, a person must look there")
        self.state = state
