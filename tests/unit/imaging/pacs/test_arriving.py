from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian

from trust_node.imaging.pacs import PacsError, Trouble
from trust_node.imaging.pacs.arriving import LOOK_AHEAD, Arriving
from trust_node.imaging.pacs.get import COMMON_CLASSES, MOST_CONTEXTS, SYNTAXES, storage_contexts
from trust_node.imaging.pacs.meter import LARGEST_PDU, Meter
from trust_node.imaging.spool import Spool

WHOLE = Path(str(get_testdata_file("MR_small.dcm"))).read_bytes()
STUDY = str(pydicom.dcmread(BytesIO(WHOLE)).StudyInstanceUID)


@given(st.lists(st.integers(1, 3000), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_an_image_is_stored_as_it_came(tmp_path: Path, sizes: list[int]) -> None:
    ends = [min(sum(sizes[: i + 1]), len(WHOLE)) for i in range(len(sizes))]
    pieces = [WHOLE[a:b] for a, b in zip([0, *ends], [*ends, len(WHOLE)], strict=True)]
    arriving = Arriving(Spool(tmp_path), STUDY)
    arriving.store(pieces)
    assert [file.read_bytes() for file in arriving.spool.files(STUDY)] == [WHOLE]
    assert (arriving.stored, arriving.received) == (1, len(WHOLE))


def refused(arriving: Arriving, pieces: list[bytes]) -> Trouble:
    with pytest.raises(PacsError) as told:
        arriving.store(pieces)
    assert arriving.stored == 0
    assert [file for file in arriving.spool.root.rglob("*") if file.is_file()] == []
    return told.value.trouble


def test_another_study_is_not_kept(tmp_path: Path) -> None:
    assert refused(Arriving(Spool(tmp_path), "1.2.3"), [WHOLE]) is Trouble.WRONG_STUDY


def test_uids_beyond_the_look_ahead_are_not_searched_for(tmp_path: Path) -> None:
    image = pydicom.dcmread(BytesIO(WHOLE))
    image.add_new(0x00090010, "LO", "FILLER")
    image.add_new(0x00091001, "OB", bytes(LOOK_AHEAD * 2))
    buffer = BytesIO()
    image.save_as(buffer)
    assert (
        refused(
            Arriving(Spool(tmp_path), STUDY), [buffer.getvalue()[i : i + 9999] for i in range(0, LOOK_AHEAD * 3, 9999)]
        )
        is Trouble.UNREADABLE
    )


@given(st.binary(max_size=400), st.integers(0, 600))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_no_bytes_break_it_otherwise(tmp_path: Path, rubbish: bytes, keep: int) -> None:
    assert refused(Arriving(Spool(tmp_path), STUDY), [WHOLE[:keep], rubbish]) in {
        Trouble.UNREADABLE,
        Trouble.WRONG_STUDY,
    }


def test_an_image_beyond_the_limit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_node.imaging.pacs.arriving.INSTANCE_BYTES", LOOK_AHEAD + 10)
    endless = [WHOLE, bytes(LOOK_AHEAD), bytes(LOOK_AHEAD)]
    assert refused(Arriving(Spool(tmp_path), STUDY), endless) is Trouble.TOO_MUCH


def test_what_was_stopped_leaves_nothing(tmp_path: Path) -> None:
    arriving = Arriving(Spool(tmp_path), STUDY)
    arriving.stop()
    assert refused(arriving, [WHOLE]) is Trouble.CUT_OFF


def test_each_syntax_of_a_known_class_has_a_context_of_its_own() -> None:
    contexts = storage_contexts(COMMON_CLASSES[:3])
    assert len(contexts) == 3 * len(SYNTAXES) <= MOST_CONTEXTS
    assert all(len(context.transfer_syntax) == 1 for context in contexts)


@pytest.mark.parametrize("classes", [[], COMMON_CLASSES[:4], [f"1.2.{n}" for n in range(500)]])
def test_there_are_never_more_contexts_than_an_association_may_have(classes: list[str]) -> None:
    contexts = storage_contexts(classes)
    assert len(contexts) <= MOST_CONTEXTS
    assert ExplicitVRLittleEndian in contexts[0].transfer_syntax


def test_a_meter_ends_what_sends_more_than_may_wait() -> None:
    meter = Meter(most=100)
    meter.count(60)
    meter.handled()
    meter.count(60)
    with pytest.raises(ConnectionAbortedError):
        meter.count(60)
    assert meter.exceeded
    meter.handled()
    assert meter.exceeded
    assert meter.total == 180


def test_a_pdu_longer_than_negotiated_is_not_read() -> None:
    with pytest.raises(ConnectionAbortedError):
        Meter().count(LARGEST_PDU + 1)
