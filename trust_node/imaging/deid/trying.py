"""A de-identification as it would be, for people at the trust who write its policy or its scripts."""

import secrets
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pydicom
from pydantic import BaseModel, ConfigDict
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from schemas.deid import DeidOption, DeidWish
from trust_node.imaging.deid.comparing import Compared, compare
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.plain import deidentify
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.planning import plan
from trust_node.imaging.deid.policy import DeidPolicy
from trust_node.imaging.deid.profile import rows
from trust_node.imaging.deid.rules import Decision, decide
from trust_node.imaging.deid.script import Script

_ANYTHING = "UN"


class _PolicyFile(BaseModel):
    """The part of a trust's policy file that says how images are de-identified."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    deid: DeidPolicy = DeidPolicy()


@dataclass(frozen=True, slots=True)
class Ruled:
    """A row of table E.1-1 and what becomes of it; the tag is 8 hexadecimal digits, `X` where a group repeats."""

    tag: str
    keyword: str
    action: str
    rule: str


def tried_plan(policy_file: Path | None, options: Sequence[Option], scripts: Iterable[Script] = ()) -> DeidPlan:
    """Settle a plan with keys that nobody has: its pseudonyms and dates are not those of an import.

    Without a policy file every option may be asked for.

    Raises
    ------
    NoValidProfileError, pydantic.ValidationError, tomllib.TOMLDecodeError, OSError
        If policy and options make no plan.
    """
    policy = DeidPolicy(allow=frozenset(Option))
    if policy_file is not None:
        policy = _PolicyFile.model_validate(tomllib.loads(policy_file.read_text(encoding="utf-8"))).deid
    wish = DeidWish(options=cast("tuple[DeidOption, ...]", tuple(options)))
    folder = policy_file.parent if policy_file is not None else Path()
    settled = plan(policy, wish, DeidKeys(secrets.token_bytes(32)), "PROJECT", folder)
    return replace(settled, scripts=(*settled.scripts, *scripts))


def tried(file: Path, settled: DeidPlan) -> list[Compared]:
    """Return what `settled` makes of the object in `file`, element by element.

    Raises
    ------
    Held
        If the object would wait for a person.
    """
    original = pydicom.dcmread(file)
    result = deidentify(original, settled)
    return compare(original, result.dataset, result.changes)


def ruled(settled: DeidPlan, sop_class: str) -> Iterator[Ruled]:
    """Give what the plan's profile does to each row of PS3.15 table E.1-1 in an object of `sop_class`, at its top."""
    for tag in rows():
        number = int(tag.replace("X", "0"), 16)
        decision = _decision(settled, number, sop_class)
        yield Ruled(tag, keyword_for_tag(number), decision.action.name.lower(), decision.rule)


def _decision(settled: DeidPlan, tag: int, sop_class: str) -> Decision:
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else _ANYTHING
    return decide(settled.profile, tag, vr, sop_class)
