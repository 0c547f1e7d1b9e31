"""What hub and trusts would refuse, found before it is sent."""

from bus.speaker import CommandRejected
from schemas.criteria import CriteriaError, compile_criteria, from_circe
from schemas.sql.judge import judge
from schemas.sql.refusal import Refused


class QueryRefused(CommandRejected):
    """Every trust would refuse this text, so nothing was sent; ``refused`` says where it is at fault."""

    def __init__(self, sql: str, refused: Refused, what: str = "") -> None:
        super().__init__(refused.code, f"{what}{refused.sentence}")
        self.sql = sql
        self.refused = refused


def must_be_allowed(sql: str, what: str = "") -> None:
    """Judge a text as every trust will; ``what`` says what it is.

    Raises
    ------
    QueryRefused
    """
    verdict = judge(sql)
    if isinstance(verdict, Refused):
        raise QueryRefused(sql, verdict, what)


def must_be_readable(criteria: str, *, images: bool) -> None:
    """Read and compile criteria as the hub will.

    Raises
    ------
    CommandRejected
        ``bad_criteria``, with the JSON path and the remedy.
    """
    try:
        compile_criteria(from_circe(criteria), images=images)
    except CriteriaError as error:
        raise CommandRejected("bad_criteria", str(error)) from None
