"""Decides by the header alone: let pass, blank parts of the picture, or hold for a person."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom import Dataset

from trust_node.imaging.deid.pixels.devices import Device, matching, shipped
from trust_node.imaging.deid.pixels.header import number
from trust_node.imaging.deid.pixels.reasons import HoldReason
from trust_node.imaging.deid.pixels.rectangle import Rectangle, within
from trust_node.imaging.deid.pixels.regions import beside_regions
from trust_node.imaging.deid.pixels.rules import BY_REASON, RULES, Rule

NOTHING: frozenset[HoldReason] = frozenset()


@dataclass(frozen=True, slots=True)
class PixelRules:
    """Which rules hold here.

    Attributes
    ----------
    off
        Rules that the trust's policy switched off; none of them essential.
    on
        Unusual rules that the trust's policy switched on.
    released
        What a person of the trust has looked at and let go for this one object, essential or not.
    devices
        The catalogue of devices: the shipped one and the trust's own.

    Raises
    ------
    ValueError
        If `off` names an essential rule, or `off` or `on` what is no rule.
    """

    off: frozenset[HoldReason] = NOTHING
    on: frozenset[HoldReason] = NOTHING
    released: frozenset[HoldReason] = NOTHING
    devices: tuple[Device, ...] = shipped()

    def __post_init__(self) -> None:
        unknown = sorted((self.off | self.on) - BY_REASON.keys())
        if unknown:
            raise ValueError(f"pixel rules: {', '.join(unknown)} can't be switched; take one of {', '.join(BY_REASON)}")
        essential = sorted(reason for reason in self.off if BY_REASON[reason].essential)
        if essential:
            raise ValueError(f"pixel rules: {', '.join(essential)} must stay on; take it out of the list")

    def __repr__(self) -> str:
        """Say equal rules in equal words, in every process: what was done is sealed with a digest of them."""
        sets = (sorted(reasons) for reasons in (self.off, self.on, self.released))
        return "PixelRules({}, {}, {}, {})".format(*sets, self.devices)

    def apply(self, rule: Rule) -> bool:
        """Tell whether a rule is on."""
        on = rule.usual or rule.reason in self.on
        return on and rule.reason not in self.off | self.released


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with an object.

    Attributes
    ----------
    reason
        Why it must wait, None if it may go on.
    rectangles
        What must be blanked in every frame before it goes on.
    covered
        The rules that would have held it, had those rectangles not been known.
    """

    reason: HoldReason | None
    rectangles: tuple[Rectangle, ...] = ()
    covered: tuple[HoldReason, ...] = ()


def judge(header: Dataset, rules: PixelRules) -> Judgement:
    """Judge an object by its header; the pixels need not have been read."""
    unnamed = _unnamed(header)
    if unnamed is not None:
        return Judgement(unnamed)
    devices = matching(rules.devices, header)
    beside = beside_regions(header)
    rectangles = _cut([*beside, *(device.rectangle for device in devices)], header)
    signs = [rule for rule in RULES if rules.apply(rule) and rule.sign(header)]
    known = bool(rectangles) and (bool(beside) or any(device.vouches for device in devices))
    settled = [rule for rule in signs if rule.coverable and known]
    open_ = [rule for rule in signs if rule not in settled]
    if open_:
        return Judgement(open_[0].reason, rectangles)
    return Judgement(None, rectangles, tuple(rule.reason for rule in settled))


def _unnamed(header: Dataset) -> HoldReason | None:
    if not header.get("SOPClassUID"):
        return HoldReason.NO_SOP_CLASS
    known = header.get("SOPInstanceUID") and header.get("StudyInstanceUID")
    return None if known else HoldReason.NO_IDENTITY


def _cut(rectangles: Iterable[Rectangle], header: Dataset) -> tuple[Rectangle, ...]:
    return tuple(sorted(set(within(rectangles, number(header, "Rows"), number(header, "Columns")))))
