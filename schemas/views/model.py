"""A model: its code bundles, and who approved each."""

from pydantic import Field

from schemas.message import Message
from schemas.training import BundleApproved, BundleDeclined, BundleRefused, BundleSubmitted, ModelCreated
from schemas.views.view import Decision, View, ViewDefinition


class BundleView(View):
    sha256: str
    files: int = 0
    entry_point: str | None = None
    refused: str | None = None
    decisions: dict[str, Decision] = Field(default_factory=dict)


class ModelView(View):
    """``bundles`` by digest; ``accepted`` names those that passed the scan, the newest last."""

    model_id: str
    project_id: str
    name: str
    owner: str
    bundles: dict[str, BundleView] = Field(default_factory=dict)
    accepted: tuple[str, ...] = ()

    @property
    def newest_bundle(self) -> str | None:
        """The digest of the code that was accepted last."""
        return self.accepted[-1] if self.accepted else None


def fold_model(view: ModelView | None, event: Message) -> ModelView | None:
    match event:
        case ModelCreated():
            return ModelView(**event.model_dump())
        case BundleSubmitted() | BundleRefused() | BundleApproved() | BundleDeclined() if view:
            bundle = _judged(view.bundles.get(event.sha256, BundleView(sha256=event.sha256)), event)
            bundles = view.bundles | {event.sha256: bundle}
            return view.model_copy(update={"bundles": bundles, "accepted": _accepted(view.accepted, event)})
        case _:
            return view


def _accepted(before: tuple[str, ...], event: Message) -> tuple[str, ...]:
    if not isinstance(event, BundleSubmitted | BundleRefused):
        return before
    others = tuple(sha256 for sha256 in before if sha256 != event.sha256)
    return (*others, event.sha256) if isinstance(event, BundleSubmitted) else others


def _judged(bundle: BundleView, event: BundleSubmitted | BundleRefused | BundleApproved | BundleDeclined) -> BundleView:
    match event:
        case BundleSubmitted():
            return bundle.model_copy(update={"files": event.files, "entry_point": event.entry_point, "refused": None})
        case BundleRefused():
            return bundle.model_copy(update={"refused": f"{event.code}: {event.reason}"})
        case BundleApproved():
            decision = Decision(approved=True, by=event.approved_by)
        case BundleDeclined():
            decision = Decision(approved=False, by=event.declined_by, reason=event.reason)
    return bundle.model_copy(update={"decisions": bundle.decisions | {event.trust_id: decision}})


MODEL = ViewDefinition(
    "model",
    ModelView,
    fold_model,
    (ModelCreated, BundleSubmitted, BundleRefused, BundleApproved, BundleDeclined),
)
