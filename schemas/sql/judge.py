"""The judge: may this query run here, and which of two kinds is it: a list of persons, or counts of persons."""

from dataclasses import dataclass

from schemas.sql.allowed import Kind
from schemas.sql.refusal import RefusalCode, Refused, RefusedQueryError
from schemas.sql.selects import read_select
from schemas.sql.shape import Parsed, parse
from schemas.sql.tabulation import Tabulation, is_count, tabulate


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that stays in the trust. `columns`: person and/or accession, in the order `sql` selects them.

    `sql` is byte for byte what was judged, without a closing semicolon.
    """

    sql: str
    columns: tuple[Kind, ...]


Verdict = Listing | Tabulation | Refused


def judge(sql: str, *, needs_accession: bool = False) -> Verdict:
    """Decide on PostgreSQL's own grammar; everything that is not allowed by name is refused.

    Parameters
    ----------
    sql
        The researcher's text.
    needs_accession
        Whether the answer must name images: then a list has to select accession_id.
    """
    try:
        return _judged(parse(sql), needs_accession=needs_accession)
    except RefusedQueryError as refusal:
        return refusal.refused


def _judged(parsed: Parsed, *, needs_accession: bool) -> Listing | Tabulation:
    if not parsed.select.target_list:
        raise _no_output()
    counts = [target for target in parsed.select.target_list if is_count(target.res_target.val)]
    if not counts:
        return _listing(parsed, needs_accession=needs_accession)
    if needs_accession:
        raise _accession_missing()
    return tabulate(parsed)


def _no_output() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.OUTPUT,
        "Select only person_id and accession_id (each once), or count(*) with grouping columns; put a UNION in WITH.",
    )


def _accession_missing() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.ACCESSION_MISSING,
        "A project with images needs a list that selects accession_id from image_occurrence; add that column.",
    )


def _listing(parsed: Parsed, *, needs_accession: bool) -> Listing:
    statement = parsed.select
    if statement.HasField("limit_count") and not statement.limit_count.a_const.HasField("ival"):
        raise RefusedQueryError(RefusalCode.LIMIT, "LIMIT takes a plain number.")
    selection = read_select(statement, None, {})
    kinds = tuple(column.kind for _, column in selection.outputs)
    if not kinds or set(kinds) - {Kind.PERSON, Kind.ACCESSION} or len(set(kinds)) != len(kinds):
        raise _no_output()
    if needs_accession and Kind.ACCESSION not in kinds:
        raise _accession_missing()
    return Listing(parsed.text, kinds)
