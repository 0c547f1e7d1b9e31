"""Holds back what can't be made safe by its header alone, before anything else is done with it."""

from pydicom import Dataset

from trust_node.imaging.deid.pixels.judging import PixelRules, judge
from trust_node.imaging.deid.pixels.reasons import Held, HoldReason

__all__ = ["Held", "HoldReason", "screen"]

_RULES = PixelRules()


def screen(dataset: Dataset) -> None:
    """Let `dataset` pass, or hold it.

    Raises
    ------
    Held
        If a rule of `pixels` holds it, or could let it pass only with parts of its picture blanked.
    """
    judgement = judge(dataset, _RULES)
    reason = judgement.reason or next(iter(judgement.covered), None)
    if reason is not None:
        raise Held(reason)
