"""Why a query is refused: a stable code for programs, the place, and one sentence with the remedy for people."""

from dataclasses import dataclass
from enum import StrEnum


class RefusalCode(StrEnum):
    """Stable: codes are added, never renamed."""

    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    TOO_COMPLEX = "too_complex"
    BAD_CHARACTER = "bad_character"
    SPELLING = "spelling_not_allowed"
    SYNTAX = "syntax"
    NOT_ONE_STATEMENT = "not_one_statement"
    NOT_A_SELECT = "not_a_select"
    FORM = "form_not_allowed"
    TABLE = "table_not_allowed"
    COLUMN = "column_not_allowed"
    STAR = "star_not_allowed"
    FUNCTION = "function_not_allowed"
    OPERATOR = "operator_not_allowed"
    TYPE = "type_not_allowed"
    CONSTANT = "constant_not_allowed"
    NAME = "name_not_allowed"
    IDENTIFIER = "identifier_misused"
    UNLINKED = "not_linked_by_person"
    UNJOINED = "not_joined"
    OUTPUT = "output_not_allowed"
    GROUPING = "grouping_not_allowed"
    LIMIT = "limit_not_allowed"
    NO_PERSON = "person_not_found"
    ACCESSION_MISSING = "accession_missing"
    TOO_MANY_CELLS = "too_many_cells"


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to a query that may not run; never quotes data or the query's constants.

    `line`, `column`: where in the text as it was given, from 1; absent where the refusal is not about a text.
    """

    code: RefusalCode
    sentence: str
    line: int | None = None
    column: int | None = None


class RefusedQueryError(Exception):
    """Raised inside the judge where a rule is broken; `judge` turns it into `Refused`.

    `at`: byte of the judged text, as soon as it is known. `qualifier`: what, put there, would say what is meant.
    """

    def __init__(self, code: RefusalCode, sentence: str, at: int | None = None, qualifier: str = "") -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.at = at
        self.qualifier = qualifier

    def place(self, at: int) -> None:
        """Keep the innermost place: who raised or read it first knows best."""
        if self.at is None and at > 0:
            self.at = at
