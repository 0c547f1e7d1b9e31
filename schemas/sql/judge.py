"""The judge: may this query run here, and which of three kinds is it: a list, counts of persons, a training frame."""

from dataclasses import dataclass, replace

from schemas.sql.allowed import Kind
from schemas.sql.columns import Column
from schemas.sql.composed import check_computed, is_composed
from schemas.sql.counts import is_count
from schemas.sql.outputs import NAMELESS
from schemas.sql.refusal import RefusalCode, Refused, RefusedQueryError
from schemas.sql.scope import Selection
from schemas.sql.selects import read_select
from schemas.sql.shape import MAX_COMPOSED, Parsed, parse, read_source
from schemas.sql.source import Source, cut_out, limit_of
from schemas.sql.tabulation import Tabulation, tabulate
from schemas.sql.text import tokens, too_deep

LEAST_LIMIT = 10
MAX_QUALIFIED = 4
MAX_REREAD = 4_000  # each name that is made plain costs another reading
_LISTED = frozenset({Kind.PERSON, Kind.ACCESSION})
_NEVER = frozenset({Kind.LINK, Kind.KEY})


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that stays in the trust. `columns`: person and/or accession, in the order `sql` selects them.

    `sql` is byte for byte what was judged, without a closing semicolon. `limit`: how many of its rows are wanted,
    chosen without regard to their values; `sql` selects all of them.
    """

    sql: str
    columns: tuple[Kind, ...]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A training frame: accession_id once, then covariates and labels; it is never released, only its size.

    `names` are the columns' names as the query gives them; otherwise as in `Listing`.
    """

    sql: str
    columns: tuple[Kind, ...]
    names: tuple[str, ...]
    limit: int | None = None


Accepted = Listing | Tabulation | Frame
Verdict = Accepted | Refused


def judge(sql: str, *, needs_accession: bool = False) -> Verdict:
    """Decide on PostgreSQL's own grammar; everything that is not allowed by name is refused.

    Parameters
    ----------
    sql
        The researcher's text.
    needs_accession
        Whether the answer must name images: then it has to select accession_id.
    """
    source = Source(sql, sql)
    try:
        source = read_source(sql)
        for _ in range(MAX_QUALIFIED):
            try:
                return _judged(source, needs_accession=needs_accession)
            except RefusedQueryError as refusal:
                if not refusal.qualifier or refusal.at is None or len(sql) > MAX_REREAD:
                    raise
                source = source.qualified(refusal.at, refusal.qualifier)
        return _judged(source, needs_accession=needs_accession)
    except RefusedQueryError as refusal:
        return Refused(refusal.code, refusal.sentence, *source.place(refusal.at))
    except RecursionError:
        deep = too_deep()
        return Refused(deep.code, deep.sentence, *source.place(None))


def _judged(source: Source, *, needs_accession: bool) -> Accepted:
    parsed = parse(source)
    composed = is_composed(parsed.select)
    if composed and parsed.parts > MAX_COMPOSED:
        raise RefusedQueryError(
            RefusalCode.TOO_COMPLEX,
            f"Counts of several SELECTs may have at most {MAX_COMPOSED} parts together; ask for fewer at once.",
        )
    try:
        accepted = tabulate(parsed) if composed else _plain(parsed, needs_accession=needs_accession)
    except RefusedQueryError as refusal:
        accepted = _otherwise(parsed, refusal, composed=composed)
    if needs_accession and (isinstance(accepted, Tabulation) or Kind.ACCESSION not in accepted.columns):
        raise _accession_missing()
    return accepted


def _otherwise(parsed: Parsed, refusal: RefusedQueryError, *, composed: bool) -> Accepted:
    """Read what counts by its form as a list or frame, which may have counts of each person; tell why it is refused."""
    if not composed:
        check_computed(parsed.select)
        raise refusal
    try:
        return _plain(parsed, needs_accession=False)
    except RefusedQueryError:
        check_computed(parsed.select)
        raise refusal from None


def _plain(parsed: Parsed, *, needs_accession: bool) -> Accepted:
    """Read a list, a frame, or counts that the SELECT itself has."""
    selection = read_select(parsed.select, None, {})
    kinds = tuple(column.kind for _, column in selection.outputs)
    if Kind.ACCESSION not in kinds and any(is_count(target.res_target.val) for target in parsed.select.target_list):
        if needs_accession:
            raise _accession_missing()
        return tabulate(parsed)
    return _rows(parsed, selection, kinds)


def _rows(parsed: Parsed, selection: Selection, kinds: tuple[Kind, ...]) -> Listing | Frame:
    if parsed.select.HasField("limit_count"):
        return _limited(parsed)
    if set(kinds) <= _LISTED and kinds and len(set(kinds)) == len(kinds):
        return Listing(parsed.text, kinds)
    _check_frame(parsed, [column for _, column in selection.outputs])
    names = tuple(name for name, _ in selection.outputs)
    if NAMELESS in names or len(set(names)) != len(names):
        raise RefusedQueryError(RefusalCode.NAME, "Give each column of a training frame its own name with AS.")
    return Frame(parsed.text, kinds, names)


def _check_frame(parsed: Parsed, columns: list[Column]) -> None:
    kinds = [column.kind for column in columns]
    if kinds.count(Kind.ACCESSION) == 1 and kinds.count(Kind.PERSON) <= 1 and not _NEVER & set(kinds):
        return
    places = [target.res_target.location for target in parsed.select.target_list]
    allowed = _LISTED if Kind.ACCESSION not in kinds else set(Kind) - _NEVER
    wrong = next((at for at, kind in enumerate(kinds) if kind not in allowed), 0)
    raise RefusedQueryError(
        RefusalCode.OUTPUT,
        "Select only person_id and accession_id (each once), accession_id with covariates, or count(*) with grouping "
        "columns.",
        places[wrong] if wrong < len(places) else None,
    )


def _limited(parsed: Parsed) -> Listing | Frame:
    """Judge the text again without its LIMIT: which rows it takes would depend on other persons' values."""
    limit, clause = limit_of(parsed.select, tokens(parsed.source.text))
    if limit < LEAST_LIMIT:
        raise RefusedQueryError(
            RefusalCode.LIMIT,
            f"A list of fewer than {LEAST_LIMIT} is never used; leave LIMIT out or raise it.",
            parsed.select.limit_count.a_const.location,
        )
    unlimited = parse(cut_out(parsed.source.text, [clause]))
    selection = read_select(unlimited.select, None, {})
    accepted = _rows(unlimited, selection, tuple(column.kind for _, column in selection.outputs))
    return replace(accepted, limit=limit)


def _accession_missing() -> RefusedQueryError:
    return RefusedQueryError(
        RefusalCode.ACCESSION_MISSING,
        "A project with images needs a query that selects accession_id from image_occurrence; add that column.",
    )
