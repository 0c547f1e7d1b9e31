import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from infra.demo import images
from infra.demo.people import people_of
from infra.demo.plan import PlannedStudy, plan

PIXELS = np.arange(16, dtype="<i2")


def real_slice(height: float) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.SpacingBetweenSlices = 1
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, height], [1, 0, 0, 0, 1, 0]
    dataset.PatientName = "Real^Name"
    dataset.Rows = dataset.Columns = 4
    dataset.BitsAllocated, dataset.PixelData = 16, PIXELS.tobytes()
    return dataset


@pytest.fixture(scope="module")
def study() -> PlannedStudy:
    return plan(["amber"], people_of(["amber"]))[1]


@pytest.fixture
def written(study, tmp_path) -> list[Dataset]:
    for series in study.series:
        folder = tmp_path / "slices" / series.run.source.folder
        folder.mkdir(parents=True)
        for place in range(len(series.instance_uids)):
            real_slice(series.run.slice_at(place)).save_as(
                folder / f"{series.run.slice_at(place):03d}.dcm", enforce_file_format=True
            )
    return [pydicom.dcmread(path) for path in images.write_study(study, tmp_path / "slices", tmp_path / "out")]


def test_a_written_study_has_every_planned_slice_with_its_own_uid(study, written):
    planned = [uid for series in study.series for uid in series.instance_uids]
    assert [dataset.SOPInstanceUID for dataset in written] == planned
    assert [dataset.file_meta.MediaStorageSOPInstanceUID for dataset in written] == planned
    assert {dataset.StudyInstanceUID for dataset in written} == {study.uid}


def test_slices_keep_their_pixels_and_their_places_in_space(study, written):
    heights = [s.run.slice_at(place) for s in study.series for place in range(len(s.instance_uids))]
    assert all(dataset.PixelData == PIXELS.tobytes() for dataset in written)
    assert [dataset.ImagePositionPatient[2] for dataset in written] == heights


def test_nothing_of_the_former_identity_is_left(written):
    assert not any("Real" in str(dataset) for dataset in written)


def test_the_identity_also_hides_in_free_text_a_sequence_and_private_elements(study, written):
    header = written[0]
    assert study.identity.patient_name in header.PatientComments
    assert header.RequestAttributesSequence[0].AccessionNumber == study.identity.accession
    private = header.private_block(images.PRIVATE_GROUP, images.PRIVATE_CREATOR)
    assert private[0x01].value == study.identity.patient_id


def test_all_slices_of_a_study_share_one_date_and_time(study, written):
    assert {(dataset.AcquisitionDate, dataset.AcquisitionTime) for dataset in written} == {
        (study.identity.taken.strftime("%Y%m%d"), images.STUDY_TIME)
    }


def test_a_package_with_another_digest_is_refused(tmp_path):
    (tmp_path / images.ARCHIVE).write_bytes(b"something else")
    with pytest.raises(RuntimeError, match=r"sha256 is .* delete the file"):
        images.fetch_slices(tmp_path)


def test_slices_already_laid_out_are_not_fetched_again(tmp_path):
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "complete").touch()
    assert images.fetch_slices(tmp_path) == tmp_path / "slices"
    assert not (tmp_path / images.ARCHIVE).exists()
