"""Addresses of the archive: from text to steps, and from steps to nodes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.xnat.address import Step, locate, parse, pick_scans
from infra.xnat.model import CHILD_KINDS, Node
from infra.xnat.refusal import Refusal

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)


def node(kind, name, parent=None, **fields):
    made = Node(kind, name, None, parent, fields, children={child: {} for child in CHILD_KINDS[kind]})
    if parent:
        parent.children[kind][name] = made
    return made


@pytest.fixture
def projects():
    project = node("projects", "P")
    node("subjects", "XNAT_S00001", project, label="anna")
    session = node("experiments", "XNAT_E00001", project, label="visit", subject_ID="XNAT_S00001", xsiType="x")
    node("scans", "1", session, type="T1", xsiType="x")
    node("scans", "2", session, type="T2", xsiType="x")
    return {"P": project}


@given(names, names, names, names)
def test_every_pair_of_a_path_becomes_one_step(project, subject, experiment, scan):
    path = f"projects/{project}/subjects/{subject}/experiments/{experiment}/scans/{scan}"
    pairs = {"projects": project, "subjects": subject, "experiments": experiment, "scans": scan}
    assert parse(path) == tuple(Step(*pair) for pair in pairs.items())
    assert parse(f"archive/{path}") == parse(path) == parse(f"{path}/")


@given(st.lists(names, min_size=1, max_size=4))
def test_all_that_follows_files_is_one_name(parts):
    path = "/".join(parts)
    assert parse(f"projects/P/resources/R/files/{path}")[-1] == Step("files", path)


@given(st.text(max_size=40))
def test_any_text_is_steps_or_a_404(text):
    with suppress(Refusal):
        assert all(isinstance(step, Step) for step in parse(text))


@pytest.mark.parametrize("path", ["", "users", "projects/P/scans", "subjects/S/users", "projects//subjects"])
def test_a_path_that_xnat_does_not_have_is_a_404(path):
    with pytest.raises(Refusal) as refused:
        parse(path)
    assert refused.value.status == 404


def test_nodes_are_found_by_id_and_by_label(projects):
    by_label = locate(projects, parse("projects/P/subjects/anna/experiments/visit/scans/1"))
    by_id = locate(projects, parse("projects/P/subjects/XNAT_S00001/experiments/XNAT_E00001/scans/1"))
    assert by_label.node() is by_id.node()


def test_outside_a_project_only_ids_are_known(projects):
    assert locate(projects, parse("experiments/XNAT_E00001")).node().label == "visit"
    assert locate(projects, parse("experiments/visit")).found is None


def test_a_missing_node_on_the_way_is_a_404(projects):
    with pytest.raises(Refusal):
        locate(projects, parse("projects/P/subjects/nobody/experiments"))


@pytest.mark.parametrize(("wanted", "ids"), [("ALL", ["1", "2"]), ("2,1", ["1", "2"]), ("T2", ["2"]), ("1", ["1"])])
def test_scans_are_picked_by_list_type_or_all(projects, wanted, ids):
    session = projects["P"].children["experiments"]["XNAT_E00001"]
    assert [scan.id for scan in pick_scans(session, wanted)] == ids


def test_no_such_scan_is_a_404(projects):
    with pytest.raises(Refusal):
        pick_scans(projects["P"].children["experiments"]["XNAT_E00001"], "9")
