"""`trustflow node warehouse check`: one look at what makes cohorts slow, empty or wrong, with the remedy."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

from trust_node.checking.findings import Finding, Verdict
from trust_node.cohort.hardening.searching import NAMES
from trust_node.cohort.hardening.views import absent
from trust_node.cohort.store import Warehouse
from trust_node.cohort.warehouse.catalogue import Catalogue
from trust_node.cohort.warehouse.faults import WarehouseError
from trust_node.cohort.warehouse.in_pacs import AsksPacs, missing_in_pacs, missing_in_warehouse
from trust_node.cohort.warehouse.traits import BAD_ACCESSIONS, CONCEPTS, KEYED, unmapped, wanted_indexes
from trust_node.imaging.pacs.troubles import ADVICE, PacsError

MOST_UNMAPPED = 0.5
STALE = "who has opted out since is still in its data, so nothing is asked of it"
CATCH_UP = "look there why it lags (pg_stat_wal_receiver, recovery_min_apply_delay), or raise WAREHOUSE_REPLICA_SECONDS"


@dataclass(frozen=True, slots=True)
class Saw:
    """What one step saw; `cause` and `remedy` if it is not well. Counts and names of columns, nothing of a patient."""

    told: str
    cause: str = ""
    remedy: str = ""


@dataclass(slots=True)
class WarehouseCheck:
    """`sample`: accession numbers to look up each way; 0 leaves the PACS alone."""

    warehouse: Warehouse
    pacs: AsksPacs
    sample: int
    _catalogue: Catalogue = field(init=False)
    _indexes: list[tuple[str, str, bool]] = field(init=False, default_factory=list)

    async def findings(self) -> AsyncIterator[Finding]:
        """Take one step after the other; without the first the others have nothing to look at."""
        first = await _taken("hardened", self._hardened)
        yield first
        if first.verdict is not Verdict.PASSED:
            return
        steps = {
            "cdm": self._cdm,
            "vocabulary": self._vocabulary,
            "ancestors": self._ancestors,
            "keys": self._keys,
            "indexes": self._index,
            "mapping": self._mapping,
            "accessions": self._accessions,
            "warehouse in PACS": self._in_pacs,
            "PACS in warehouse": self._in_warehouse,
        }
        for name, step in steps.items():
            yield await _taken(name, step)

    async def _hardened(self) -> Saw:
        verified = await self.warehouse.verify()
        place = "a replica" if verified.is_replica else "no replica"
        if not verified.is_hardened:
            remedy = "trustflow node warehouse verify, then harden --plan and --apply"
            return Saw(f"{len(verified.failed)} probes are not stopped", "the role of queries may do too much", remedy)
        if verified.replay and not verified.replay.passed:
            return Saw(f"{place}: {verified.replay.found}", STALE, CATCH_UP)
        self._catalogue = await self.warehouse.catalogue()
        schema = self.warehouse.views_schema
        self._indexes = [(t, c, key) for t, c, key in await self.warehouse.ask(f"SELECT * FROM {schema}_about.indexes")]  # noqa: S608
        return Saw(f"{len(verified.results)} probes stopped, PostgreSQL {verified.server_version}, {place}")

    async def _cdm(self) -> Saw:
        lacking = sorted(absent(self._catalogue.tables))
        told = f"CDM {self._catalogue.cdm_version}; not here: {', '.join(lacking) or 'nothing'}"
        if "person" in self._catalogue.tables:
            return Saw(told)
        return Saw(
            told, "there is no table person where it is looked for", "correct TRUSTFLOW_CDM_SCHEMA; harden again"
        )

    async def _vocabulary(self) -> Saw:
        concepts = await self._rows("concept")
        version = self._catalogue.vocabulary_version
        remedy = "load the vocabulary into TRUSTFLOW_VOCABULARY_SCHEMA, its table vocabulary included; harden again"
        if not concepts:
            return Saw("no concepts", "the vocabulary is empty: concept search finds nothing", remedy)
        if not version:
            return Saw(f"{concepts} concepts, version unknown", "nobody can tell what a frozen cohort meant", remedy)
        return Saw(f"{concepts} concepts, {version}{self._unindexed()}")

    def _unindexed(self) -> str:
        """Concept search works without an index of names too, so its lack is told and no fault."""
        there = {(table, column) for table, column, _ in self._indexes}
        bare = [table for table in self._catalogue.tables.keys() & NAMES.keys() if (table, NAMES[table]) not in there]
        return "; each search reads all names: harden --apply indexes them on a server with pg_trgm" if bare else ""

    async def _ancestors(self) -> Saw:
        if rows := await self._rows("concept_ancestor"):
            return Saw(f"{rows} rows")
        cause = "concept_ancestor is empty: a cohort by a concept and its descendants finds nobody"
        return Saw("no rows", cause, "load concept_ancestor with the vocabulary")

    async def _rows(self, table: str) -> int:
        if table not in self._catalogue.tables:
            return 0
        return int((await self.warehouse.ask(f"SELECT count(*) FROM {table}"))[0][0])  # noqa: S608  a name of ours

    async def _keys(self) -> Saw:
        keyed = {(table, column) for table, column, key in self._indexes if key}
        bare = [table for table in KEYED if table in self._catalogue.tables and (table, f"{table}_id") not in keyed]
        if not bare:
            return Saw("each table has its key")
        cause = "the same row could be there twice, and joins are slow"
        return Saw(", ".join(bare), cause, "make the primary keys of the CDM's own scripts")

    async def _index(self) -> Saw:
        there = {(table, column) for table, column, _ in self._indexes}
        wanted = wanted_indexes(frozenset(self._catalogue.tables))
        bare = [f"{table} ({column})" for table, column in wanted if (table, column) not in there]
        if not bare:
            return Saw(f"{len(wanted)} columns, each with an index")
        return Saw(", ".join(bare), "queries read whole tables", "CREATE INDEX ON each of these columns, then ANALYZE")

    async def _mapping(self) -> Saw:
        shares = {}
        for table in CONCEPTS.keys() & self._catalogue.tables.keys():
            rows, lost = (await self.warehouse.ask(unmapped(table)))[0]
            if rows:
                shares[table] = int(lost) / int(rows)
        told = ", ".join(f"{table} {share:.0%}" for table, share in sorted(shares.items()))
        if max(shares.values(), default=0) < MOST_UNMAPPED:
            return Saw(f"rows without a concept: {told or 'no rows at all'}")
        return Saw(told, "most rows of a table have no concept, so no cohort finds them", "map its source codes")

    async def _accessions(self) -> Saw:
        if "accession_id" not in self._catalogue.tables.get("image_occurrence", ()):
            remedy = "name the column that holds it by TRUSTFLOW_ACCESSION_COLUMN; harden again"
            return Saw("none", "image_occurrence has no accession_id: no image can be brought", remedy)
        rows, empty, wild = (int(each or 0) for each in (await self.warehouse.ask(BAD_ACCESSIONS))[0])
        told = f"{rows} images: {empty} without an accession number, {wild} with a wildcard in it"
        if not empty + wild:
            return Saw(told)
        return Saw(
            told, "these images are left out of every cohort", "correct these accession numbers in the warehouse"
        )

    async def _in_pacs(self) -> Saw:
        return await self._compared(missing_in_pacs, "accession numbers of the warehouse", "the PACS")

    async def _in_warehouse(self) -> Saw:
        return await self._compared(missing_in_warehouse, "accession numbers of the PACS", "the warehouse")

    async def _compared(self, missing: "Compares", what: str, where: str) -> Saw:
        if not self.sample or "accession_id" not in self._catalogue.tables.get("image_occurrence", ()):
            raise SkippedError("no accession numbers to look up")
        lost, looked = await missing(self.warehouse, self.pacs, self.sample)
        told = f"{looked - lost} of {looked} {what} are in {where}"
        if not lost:
            return Saw(told)
        remedy = (
            "compare how both write the number, case and leading zeros included; name what is left out to researchers"
        )
        return Saw(told, f"{where} lacks some of what the other has", remedy)


class SkippedError(Exception):
    """A step that has nothing to work on; the text says why."""


Compares = Callable[[Warehouse, AsksPacs, int], Awaitable[tuple[int, int]]]


async def _taken(name: str, step: Callable[[], Awaitable[Saw]]) -> Finding:
    began = perf_counter()
    try:
        saw = await step()
    except SkippedError as skipped:
        return Finding(name, Verdict.SKIPPED, perf_counter() - began, str(skipped))
    except WarehouseError as error:
        return Finding(
            name, Verdict.FAILED, perf_counter() - began, "", error.fault.value, error.sentence, "see its log"
        )
    except PacsError as error:
        advice = ADVICE[error.trouble]
        return Finding(
            name, Verdict.FAILED, perf_counter() - began, "", error.trouble.value, advice.cause, advice.remedy
        )
    verdict = Verdict.FAILED if saw.cause else Verdict.PASSED
    return Finding(name, verdict, perf_counter() - began, saw.told, "", saw.cause, saw.remedy)
