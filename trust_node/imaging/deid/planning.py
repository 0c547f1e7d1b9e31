"""Joins the trust's floor and a project's wish to a plan, or says why there is none: then nothing leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydicom.tag import Tag

from schemas.deid import DeidWish
from trust_node.imaging.deid.keys import DeidKeys
from trust_node.imaging.deid.options import Option
from trust_node.imaging.deid.pixels import PixelRules, read, shipped
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.policy import DeidPolicy, Stricter
from trust_node.imaging.deid.rules import Action, Profile
from trust_node.imaging.deid.script import Script, read_lookup
from trust_node.imaging.deid.whitelist import Whitelist

NOTHING_ASKED = DeidWish()
_ACTIONS: dict[Stricter, Action] = {"replace": Action.DUMMY, "empty": Action.EMPTY, "remove": Action.REMOVE}
# Nothing here takes a face off an image; to say so would be a lie.
_NOT_OFFERED = frozenset({Option.CLEAN_VISUAL_FEATURES})
_DATES = frozenset({Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES})

Read = TypeVar("Read")


class NoValidProfileError(Exception):
    """There is no valid way to de-identify: nothing is, and nothing leaves. The text says what to change, and where."""

    code = "no_valid_profile"


def plan(policy: DeidPolicy, wish: DeidWish, keys: DeidKeys, project: str = "", folder: Path = Path()) -> DeidPlan:
    """Settle how the objects of one project are de-identified at this trust.

    Parameters
    ----------
    project
        The archive's project, for scripts.
    folder
        Where relative paths of the policy begin.

    Raises
    ------
    NoValidProfileError
        If the wish asks for what the trust does not allow, or for what nobody can do, or if a file of the trust
        or the project's script can't be read.
    """
    return DeidPlan(
        keys,
        Profile(_options(policy, wish), _overrides(policy)),
        _rules(policy, folder),
        _of_file(policy.whitelist_file, folder, "whitelist_file", Whitelist.read),
        _scripts(policy, wish, folder),
        _of_file(policy.lookup_file, folder, "lookup_file", read_lookup) or {},
        project,
    )


def _options(policy: DeidPolicy, wish: DeidWish) -> frozenset[Option]:
    asked = frozenset(map(Option, wish.options))
    forbidden = sorted(asked - policy.options - policy.allow)
    if forbidden:
        raise NoValidProfileError(
            f"this trust does not allow {', '.join(forbidden)}; ask it, or take it out of the wish"
        )
    impossible = sorted((asked | policy.options) & _NOT_OFFERED)
    if impossible:
        raise NoValidProfileError(f"{', '.join(impossible)} can't be done here; take it out of policy and wish")
    return _one_of_dates(asked | policy.options, asked)


def _one_of_dates(options: frozenset[Option], asked: frozenset[Option]) -> frozenset[Option]:
    """Choose between kept and moved dates where both are on: what the project asks for, and it may ask for one."""
    if not options >= _DATES:
        return options
    wanted = asked & _DATES
    if len(wanted) != 1:
        raise NoValidProfileError(
            "dates are either kept or moved: name one of retain_full_dates, retain_modified_dates"
        )
    return options - _DATES | wanted


def _overrides(policy: DeidPolicy) -> frozenset[tuple[int, Action]]:
    return frozenset((int(Tag(keyword)), _ACTIONS[how]) for keyword, how in policy.overrides.items())


def _rules(policy: DeidPolicy, folder: Path) -> PixelRules:
    own = _of_file(policy.devices_file, folder, "devices_file", read) or ()
    try:
        return PixelRules(policy.rules_off, policy.rules_on, devices=(*shipped(), *own))
    except ValueError as error:
        raise NoValidProfileError(f"[deid] rules_off, rules_on: {error}") from error


def _scripts(policy: DeidPolicy, wish: DeidWish, folder: Path) -> tuple[Script, ...]:
    if wish.script is not None and not policy.project_scripts:
        raise NoValidProfileError("this trust takes no scripts from projects; leave the script out")
    site = _of_file(policy.script_file, folder, "script_file", lambda text: Script.parse(text, "site"))
    own = None if wish.script is None else _parsed("the project's script", Script.parse, wish.script)
    return tuple(script for script in (site, own) if script is not None)


def _of_file(file: Path | None, folder: Path, key: str, make: Callable[[str], Read]) -> Read | None:
    if file is None:
        return None
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoValidProfileError(f"[deid] {key}: {type(error).__name__}; check the path and the file") from error
    return _parsed(f"[deid] {key}", make, text)


def _parsed(what: str, make: Callable[[str], Read], text: str) -> Read:
    try:
        return make(text)
    except ValueError as error:
        raise NoValidProfileError(f"{what}: {error}") from error
