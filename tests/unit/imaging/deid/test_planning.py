"""A trust's floor is never lowered; where no profile is valid there is no plan."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.tag import Tag

from schemas.deid import DeidOption, DeidWish
from trust_node.imaging.deid import DeidKeys, DeidPlan, DeidPolicy, HoldReason, NoValidProfileError, Option, plan
from trust_node.imaging.deid.policy import Stricter
from trust_node.imaging.deid.profile import rows
from trust_node.imaging.deid.rules import Action, decide
from trust_node.policy import Policy

KEYS = DeidKeys(bytes(range(32)))
CT = "1.2.840.10008.5.1.4.1.1.2"
NOTHING = DeidWish()
SCRIPT = 'version "6.3"\n- (0008,103E)\n'
OPTIONS = st.frozensets(st.sampled_from(sorted(Option)))
WISHES = OPTIONS.map(lambda options: DeidWish(options=tuple(options)))
TAGS = [int(tag, 16) for tag in rows() if "X" not in tag and tag > "00080000"]
NEEDED = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
KEYWORDS = [keyword_for_tag(tag) for tag in TAGS if dictionary_has_tag(tag) and keyword_for_tag(tag) not in NEEDED]


def test_policy_and_wish_speak_of_the_same_options() -> None:
    assert set(get_args(DeidOption)) == set(Option)


@settings(max_examples=200)
@given(OPTIONS, OPTIONS, WISHES)
def test_a_plan_has_only_options_that_the_trust_applies_or_allows(
    always: frozenset[Option], allowed: frozenset[Option], wish: DeidWish
) -> None:
    policy = DeidPolicy(options=always, allow=allowed)
    try:
        options = plan(policy, wish, KEYS).profile.options
    except NoValidProfileError:
        return
    assert set(map(Option, wish.options)) <= always | allowed
    assert options <= always | set(map(Option, wish.options))
    assert always - options <= {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}
    assert not options >= {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}


@settings(max_examples=200)
@given(OPTIONS, WISHES)
def test_a_wish_for_what_is_not_allowed_is_refused_whatever_else_it_holds(
    allowed: frozenset[Option], wish: DeidWish
) -> None:
    policy = DeidPolicy(options=frozenset(), allow=allowed)
    if not set(map(Option, wish.options)) <= allowed:
        with pytest.raises(NoValidProfileError, match="does not allow"):
            plan(policy, wish, KEYS)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KEYWORDS), st.sampled_from(["replace", "empty", "remove"]), OPTIONS)
def test_no_wish_gets_below_an_override_of_the_trust(keyword: str, how: Stricter, asked: frozenset[Option]) -> None:
    wish = DeidWish(options=tuple(asked - {Option.CLEAN_VISUAL_FEATURES, Option.RETAIN_FULL_DATES}))
    policy = DeidPolicy(options=frozenset(), allow=frozenset(Option), overrides={keyword: how})
    profile, tag = plan(policy, wish, KEYS).profile, Tag(keyword)
    vr = dictionary_VR(tag).split(" or ")[0]
    decided = decide(profile, tag, vr, CT).action
    assert decided >= decide(replace(profile, overrides=frozenset()), tag, vr, CT).action
    assert decided >= {"replace": Action.REMAP, "empty": Action.EMPTY, "remove": Action.REMOVE}[how]


def test_dates_are_kept_or_moved_and_the_project_says_which_only_where_both_are_allowed() -> None:
    full = DeidWish(options=("retain_full_dates",))
    with pytest.raises(NoValidProfileError, match="does not allow retain_full_dates"):
        plan(DeidPolicy(), full, KEYS)
    allowing = DeidPolicy(allow=frozenset({Option.RETAIN_FULL_DATES}))
    assert plan(allowing, full, KEYS).profile.options == {Option.RETAIN_FULL_DATES}
    assert plan(allowing, NOTHING, KEYS).profile.options == {Option.RETAIN_MODIFIED_DATES}
    both = DeidPolicy(options=frozenset({Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}))
    with pytest.raises(NoValidProfileError, match="either kept or moved"):
        plan(both, NOTHING, KEYS)


def test_what_nobody_can_do_here_is_no_plan() -> None:
    policy = DeidPolicy(options=frozenset({Option.CLEAN_VISUAL_FEATURES}))
    with pytest.raises(NoValidProfileError, match="can't be done here"):
        plan(policy, NOTHING, KEYS)


def test_the_trusts_script_runs_before_the_projects(tmp_path: Path) -> None:
    (tmp_path / "site.das").write_text(SCRIPT)
    settled = plan(DeidPolicy(script_file=Path("site.das")), DeidWish(script=SCRIPT), KEYS, folder=tmp_path)
    assert [script.name for script in settled.scripts] == ["site", "script"]


@pytest.mark.parametrize(
    ("policy", "wish", "why"),
    [
        (DeidPolicy(script_file=Path("missing.das")), NOTHING, "script_file: FileNotFoundError"),
        (DeidPolicy(whitelist_file=Path("missing")), NOTHING, "whitelist_file"),
        (DeidPolicy(lookup_file=Path("broken")), NOTHING, "lookup_file: 1:1"),
        (DeidPolicy(devices_file=Path("broken")), NOTHING, "devices_file"),
        (DeidPolicy(script_file=Path("broken")), NOTHING, "script_file: 1:1"),
        (DeidPolicy(), DeidWish(script="nonsense"), "the project's script: 1:1"),
        (DeidPolicy(project_scripts=False), DeidWish(script=SCRIPT), "takes no scripts"),
        (DeidPolicy(rules_off=frozenset({HoldReason.STRUCTURED_REPORT})), NOTHING, "must stay on"),
    ],
)
def test_what_cannot_be_read_or_is_not_taken_is_no_plan_and_the_reason_says_what_to_mend(
    policy: DeidPolicy, wish: DeidWish, why: str, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("broken\n")
    with pytest.raises(NoValidProfileError, match=why) as refused:
        plan(policy, wish, KEYS, folder=tmp_path)
    assert refused.value.code == "no_valid_profile"


@pytest.mark.parametrize("keyword", ["PatientNane", "SOPInstanceUID", "PixelData"])
def test_an_override_names_an_attribute_that_an_object_can_do_without(keyword: str) -> None:
    with pytest.raises(ValidationError, match=keyword):
        DeidPolicy(overrides={keyword: "remove"})


def test_there_is_no_override_that_keeps() -> None:
    with pytest.raises(ValidationError, match="PatientSex"):
        DeidPolicy.model_validate({"overrides": {"PatientSex": "keep"}})


def test_the_policy_file_has_a_section_for_it(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(
        'approvers = ["amber"]\n[deid]\nallow = ["retain_device_identity"]\n[deid.overrides]\nPatientSex = "remove"\n'
    )
    policy = Policy.read(tmp_path / "policy.toml").deid
    assert policy.allow == {Option.RETAIN_DEVICE_IDENTITY}
    assert policy.options == {Option.RETAIN_MODIFIED_DATES}
    assert policy.overrides == {"PatientSex": "remove"}


def variants(tmp_path: Path) -> list[DeidPlan]:
    (tmp_path / "site.das").write_text(SCRIPT)
    (tmp_path / "white").write_text("PatientSex\n")
    policies = [
        DeidPolicy(),
        DeidPolicy(options=frozenset()),
        DeidPolicy(overrides={"PatientSex": "remove"}),
        DeidPolicy(overrides={"PatientSex": "empty"}),
        DeidPolicy(script_file=tmp_path / "site.das"),
        DeidPolicy(whitelist_file=tmp_path / "white"),
        DeidPolicy(rules_on=frozenset({HoldReason.DERIVED_SECONDARY})),
    ]
    settled = [plan(policy, NOTHING, KEYS) for policy in policies]
    return [
        *settled,
        plan(DeidPolicy(), NOTHING, DeidKeys(bytes(32))),
        plan(DeidPolicy(), DeidWish(script=SCRIPT + SCRIPT[14:]), KEYS),
        plan(DeidPolicy(), NOTHING, KEYS, "P1"),
        settled[0].releasing(HoldReason.SCREEN_SAVE),
    ]


def test_the_digest_changes_with_whatever_changes_the_output(tmp_path: Path) -> None:
    digests = [settled.digest for settled in variants(tmp_path)]
    assert len(set(digests)) == len(digests)


def test_a_plan_crosses_to_a_worker_process_and_shows_no_secret(tmp_path: Path) -> None:
    for settled in variants(tmp_path):
        assert pickle.loads(pickle.dumps(settled)) == settled
        assert "secret" not in repr(settled)


def test_a_release_names_what_holds_no_more() -> None:
    released = plan(DeidPolicy(), NOTHING, KEYS).releasing(HoldReason.SCREEN_SAVE)
    assert released.pixel_rules.released == {HoldReason.SCREEN_SAVE}
