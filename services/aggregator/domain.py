"""Which updates may be believed, and in what order they are folded. Pure."""

from bus.errors import Rejection
from schemas.manifest import HEADER_LIMIT, Layout, Manifest, cuts, layout
from schemas.training import FoldInput
from schemas.trust import UpdateSubmitted

MOST_EXAMPLES = 10**9


def global_prefix(run_id: str, round_: int) -> str:
    return f"runs/{run_id}/{round_}/global"


def check_claims(update: UpdateSubmitted, model: Manifest | None, max_size: int) -> Layout:
    """Judge all that can be judged before any byte is read; ``model`` is the global one of the round before.

    Raises
    ------
    Rejection
        ``wrong_round``, ``wrong_prefix``, ``too_large``, ``wrong_parts``, ``wrong_shapes``, ``bad_examples``.
    """
    manifest = update.manifest
    _check_round(update, model)
    own = f"runs/{update.run_id}/{update.round}/{update.trust_id}"
    if manifest.prefix != own and not manifest.prefix.startswith(f"{own}/"):
        raise Rejection("wrong_prefix", "The update lies where this task's upload was not granted.")
    if manifest.size > max_size:
        raise Rejection("too_large", f"The update has {manifest.size} bytes: at most {max_size}.")
    if [part.size for part in manifest.parts] != [stop - start for start, stop in cuts(manifest.size)]:
        raise Rejection("wrong_parts", "The update is not cut into parts of the granted size.")
    if not 0 <= update.examples <= MOST_EXAMPLES:
        raise Rejection("bad_examples", f"The number of examples must be between 0 and {MOST_EXAMPLES}.")
    return _checked_layout(manifest, model)


def _check_round(update: UpdateSubmitted, model: Manifest | None) -> None:
    if update.kind != ("init" if update.round == 0 else "train"):
        raise Rejection("wrong_kind", f"Round {update.round} has no update of kind {update.kind}.")
    if update.round > 0 and model is None:
        raise Rejection("wrong_round", "The run has no global model that this update could be of.")


def _checked_layout(manifest: Manifest, model: Manifest | None) -> Layout:
    if not manifest.tensors or (model is not None and manifest.tensors != model.tensors):
        raise Rejection("wrong_shapes", "Names, shapes and types must be those of the global model that was sent.")
    found = layout(manifest.tensors)
    if len(found.header) > HEADER_LIMIT:
        raise Rejection("too_large", f"The header has {len(found.header)} bytes: at most {HEADER_LIMIT}.")
    return found


def in_order(updates: tuple[FoldInput, ...]) -> tuple[FoldInput, ...]:
    """By trust: sums of floats depend on their order, so one set of updates gives one model whatever came first."""
    return tuple(sorted(updates, key=lambda update: update.trust_id))
