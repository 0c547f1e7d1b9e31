"""`trustflow deid`: what is said, with which exit code, and that values are shown only when they are asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, FileDataset
from typer.testing import CliRunner

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.commands import app
from trust_node.imaging.deid.comparing import compare

SITE = 'version "6.3"\n(0010,4000) := session\n- (0008,0070)\n(0008,1140)[5]/(0008,1155) := "1.2"\n'
Save = Callable[[FileDataset], Path]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def called(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_validate_says_what_a_script_needs(written: Callable[[str, str], Path]) -> None:
    site = written("site.das", SITE)
    code, (line,), _ = called("validate", site)
    assert (code, line["version"], line["variables"], line["alters_pixels"]) == (0, "6.3", ["session"], False)
    assert "nothing wrong" in CliRunner().invoke(app, ["validate", str(site)]).stdout


def test_validate_names_file_line_and_column_of_every_error(written: Callable[[str, str], Path]) -> None:
    good, bad = written("good.das", SITE), written("[bold].das", 'version "6.3"\nfoo[]\n\n - x\n')
    code, lines, _ = called("validate", good, bad)
    assert code == 1
    assert [(Path(line["file"]).name, line.get("line"), line.get("column")) for line in lines] == [
        ("good.das", None, None),
        ("[bold].das", 2, 1),
        ("[bold].das", 4, 4),
    ]
    shown = CliRunner().invoke(app, ["validate", str(bad)])
    assert shown.exit_code == 1
    assert "[bold].das:2:1: there is no function foo" in shown.stdout


def test_validate_takes_text_only(tmp_path: Path) -> None:
    file = tmp_path / "binary.das"
    file.write_bytes(b"\xff\xfe\x00")
    for path in (file, tmp_path, tmp_path / "nowhere.das"):
        code, (line,), _ = called("validate", path)
        assert code == 1
        assert "a script is a file of UTF-8 text" in line["error"]


def test_diff_tells_each_element_its_fate_and_rule(
    mr_with_phi: FileDataset, save: Save, written: Callable[[str, str], Path]
) -> None:
    file = save(mr_with_phi)
    code, lines, _ = called("diff", file, "--script", written("site.das", SITE))
    told = {line["path"]: (line["fate"], line["rules"]) for line in lines}
    assert code == 0
    assert told["(0018,0050)"] == ("kept", [])
    assert told["(0010,0010)"] == ("changed", ["replace: pseudonym"])
    assert told["(0008,0070)"] == ("removed", ["remove: site:3"])
    assert told["(0010,4000)"] == ("added", ["assign: site:2"])
    assert told["(0008,1140)[5]/(0008,1155)"] == ("added", ["remap: basic U", "assign: site:4"])
    assert told["(0009,1001)"][0] == "removed"


def test_diff_shows_no_value_unless_it_is_asked_to(mr_with_phi: FileDataset, save: Save) -> None:
    file = save(mr_with_phi)
    silent = CliRunner().invoke(app, ["diff", str(file)])
    assert silent.exit_code == 0
    assert "anary" not in silent.output
    assert "anary" not in str(called("diff", file))
    code, lines, warning = called("diff", file, "--show-values")
    assert code == 0
    assert "values of a patient" in warning
    assert {"Canaryson^Jane"} == {line["before"] for line in lines if line["path"] == "(0010,0010)"}


def test_diff_takes_the_policys_files_and_options(
    mr_with_phi: FileDataset, save: Save, written: Callable[[str, str], Path]
) -> None:
    file = save(mr_with_phi)
    written("list.xml", '<script><r en="T" t="unspecifiedelements"/><e en="T" t="00100010">@hash(this)</e></script>')
    policy = written("policy.toml", 'approvers = ["a"]\n[deid]\nwhitelist_file = "list.xml"\nallow = ["retain_uids"]\n')
    code, lines, notes = called("diff", file, "--policy", policy, "--option", "retain_uids")
    told = {line["path"]: (line["fate"], line["rules"]) for line in lines}
    assert code == 0
    assert told["(0018,1314)"] == ("removed", ["remove: white list"])
    assert told["(0020,000D)"][0] == "kept"
    assert "@hash() is not carried out" in notes
    code, lines, why = called("diff", file, "--policy", policy, "--option", "retain_full_dates")
    assert (code, lines) == (1, [])
    assert "does not allow retain_full_dates" in why


def test_diff_says_why_an_object_is_held(
    mr_with_phi: FileDataset, save: Save, written: Callable[[str, str], Path]
) -> None:
    script = written("site.das", 'version "6.6"\n\n(0020,0013) := (0010,0010)\n')
    code, _, why = called("diff", save(mr_with_phi), "--script", script)
    assert code == 1
    assert "held: script_failed: site:3: (0020,0013): the value does not fit" in why
    mr_with_phi.BurnedInAnnotation = "YES"
    code, _, why = called("diff", save(mr_with_phi))
    assert code == 1
    assert "held: burned_in_annotation" in why


@pytest.mark.parametrize("raw", [b"", b"not DICOM", b"\0" * 128 + b"DICM" + b"\xff" * 40])
def test_diff_of_what_is_no_dicom(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "file.dcm"
    file.write_bytes(raw)
    assert called("diff", file)[0] == 1


def test_a_wrong_script_or_policy_stops_the_diff(
    mr_with_phi: FileDataset, save: Save, written: Callable[[str, str], Path]
) -> None:
    file = save(mr_with_phi)
    assert called("diff", file, "--script", written("bad.das", "echo"))[0] == 1
    assert called("diff", file, "--policy", written("policy.toml", "[deid]\nfoo = 1\n"))[0] == 1
    assert called("diff", file, "--policy", written("policy.toml", "[deid"))[0] == 1
    assert called("diff", file, "--policy", file.parent / "nowhere.toml")[0] == 1
    assert called("diff", file.parent / "nowhere.dcm")[0] == 1


def test_profile_shows_the_table_under_the_options() -> None:
    def actions(*options: str) -> dict[str, tuple[str, str]]:
        code, lines, _ = called("profile", *options)
        assert code == 0
        return {line["keyword"]: (line["action"], line["rule"]) for line in lines}

    assert actions()["StudyInstanceUID"] == ("remap", "basic U")
    assert actions("--option", "retain_uids")["StudyInstanceUID"] == ("keep", "retain_uids")
    assert len(actions()) > 600
    assert actions("--sop-class", "1.2.840.10008.5.1.4.1.1.4")["InstitutionName"][0] == "remove"
    assert "StudyInstanceUID" in CliRunner().invoke(app, ["profile"], env={"COLUMNS": "150"}).stdout


def test_what_goes_with_a_sequence_is_not_told_again() -> None:
    inner = Dataset()
    inner.PatientID = "x"
    before, after = Dataset(), Dataset()
    before.ReferencedImageSequence = [inner, inner]
    after.ReferencedStudySequence = [inner]
    changes = [Change("(0008,1140)", "remove", "basic X"), Change("(0008,1110)/(0010,0020)", "assign", "s:1")]
    told = [(one.path, one.fate, one.rules) for one in compare(before, after, changes)]
    assert told == [
        ("(0008,1110)", "added", ("assign: s:1",)),
        ("(0008,1140)", "removed", ("remove: basic X",)),
    ]
