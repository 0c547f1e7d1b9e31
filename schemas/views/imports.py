"""A project's import, trust by trust and study by study."""

from pydantic import Field

from schemas.cohort import CohortNotFrozen
from schemas.imaging import (
    AccessSet,
    ConversionSwitched,
    EnrichmentReported,
    ImagesPurged,
    ImagingEvent,
    ImportFinished,
    ImportProgressed,
    ImportReconciled,
    ImportStarted,
    StudyRest,
    StudyState,
    Tally,
)
from schemas.message import Message
from schemas.project import ProjectApproved
from schemas.views.view import View, ViewDefinition


class StudyView(View):
    state: StudyState
    attempt: int
    code: str | None = None
    rest: StudyRest | None = None
    held: dict[str, int] = Field(default_factory=dict)

    @property
    def shown(self) -> str:
        """In one word."""
        return self.rest or self.state


class Coverage(View):
    """How many of the project's images have labels and masks; what was rejected, by code."""

    images: int
    labelled: int
    masked: int
    rejected: dict[str, int]


class Comparison(View):
    """What a trust found when it compared what it told with what is there."""

    studies: int
    agreed: int
    differences: dict[str, int]
    repaired: int


class TrustImport(View):
    """One trust's import: ``studies`` by pseudonym, as far as anything happened to them.

    ``converts`` and ``without_address`` (members who have no account there) are what the trust said last of them;
    ``purged`` is the digest in its proof that the images are gone.
    """

    planned: int = 0
    tally: Tally = Tally()
    finished: bool = False
    studies: dict[str, StudyView] = Field(default_factory=dict)
    coverage: Coverage | None = None
    comparison: Comparison | None = None
    converts: bool | None = None
    without_address: int = 0
    purged: str | None = None

    @property
    def over(self) -> bool:
        return self.finished or self.purged is not None


class ImportView(View):
    """``barred`` names trusts that approved and could not fix their cohort, and why: they import nothing.

    Each field but the id is told by one topic: ``approved`` by project.events, ``barred`` by cohort.events, ``trusts``
    by imaging.events.
    """

    project_id: str
    approved: tuple[str, ...] = ()
    barred: dict[str, str] = Field(default_factory=dict)
    trusts: dict[str, TrustImport] = Field(default_factory=dict)

    @property
    def finished(self) -> bool:
        waiting = {*self.approved, *self.trusts} - self.barred.keys()
        return all(trust in self.trusts and self.trusts[trust].over for trust in waiting)


def fold_import(view: ImportView | None, event: Message) -> ImportView | None:
    if not isinstance(event, ImagingEvent | ProjectApproved | CohortNotFrozen):
        return view
    view = view or ImportView(project_id=event.project_id)
    if isinstance(event, ProjectApproved):
        return view.model_copy(update={"approved": tuple(dict.fromkeys((*view.approved, event.trust_id)))})
    if isinstance(event, CohortNotFrozen):
        return view.model_copy(update={"barred": view.barred | {event.trust_id: f"{event.code}: {event.reason}"}})
    trust = _advanced(view.trusts.get(event.trust_id, TrustImport()), event)
    return view.model_copy(update={"trusts": view.trusts | {event.trust_id: trust}})


def _advanced(trust: TrustImport, event: ImagingEvent) -> TrustImport:
    match event:
        case ImportStarted():
            return trust.model_copy(update={"planned": event.studies, "finished": False})
        case ImportProgressed():
            study = StudyView(
                state=event.state, attempt=event.attempt, code=event.code, rest=event.rest, held=event.held or {}
            )
            return trust.model_copy(
                update={"tally": event.tally, "finished": False, "studies": trust.studies | {event.study: study}}
            )
        case ImportFinished():
            return trust.model_copy(update={"tally": event.tally, "finished": True})
        case _:
            return trust.model_copy(update=_told(event))


def _told(event: ImagingEvent) -> dict[str, object]:
    match event:
        case EnrichmentReported():
            return {"coverage": Coverage(**event.model_dump(include=set(Coverage.model_fields)))}
        case ImportReconciled():
            return {"comparison": Comparison(**event.model_dump(include=set(Comparison.model_fields)))}
        case ConversionSwitched():
            return {"converts": event.on}
        case AccessSet():
            return {"without_address": event.without_address}
        case ImagesPurged():
            return {"purged": event.digest}
        case _:
            return {}


IMPORT = ViewDefinition(
    "import",
    ImportView,
    fold_import,
    (
        ProjectApproved,
        CohortNotFrozen,
        ImportStarted,
        ImportProgressed,
        ImportFinished,
        ImportReconciled,
        ConversionSwitched,
        AccessSet,
        EnrichmentReported,
        ImagesPurged,
    ),
)
