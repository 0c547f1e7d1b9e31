"""DICOMweb by plain requests: what is told is what pydicom reads, and bytes come back as they went in."""

import io
import json
import re

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from tests.integration.xnat_ground import CT, MR, Client, altered, study, zip_of

pytestmark = pytest.mark.integration

RLE = get_testdata_file("SC_rgb_rle_2frame.dcm")
J2K = get_testdata_file("JPEG2000.dcm")
DICOM_PARTS = 'multipart/related; type="application/dicom"'


@pytest.fixture(scope="module")
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture(scope="module")
def project(admin):
    """Return a project with an MR of three slices, a CT, and two compressed images."""
    name = admin.new_project()
    mr = [pydicom.dcmread(io.BytesIO(each)) for each in study(91, slices=3)]
    for dataset in mr:
        dataset.PatientName, dataset.AccessionNumber = "Anna^Example", "ACC1"
    admin.import_zip(name, zip_of(*map(written, mr)), session="mr")
    for label, file in {"ct": CT, "rle": RLE, "j2k": J2K}.items():
        assert admin.import_zip(name, zip_of(written(pydicom.dcmread(file))), session=label).status_code == 200
    return name


@pytest.fixture(scope="module")
def web(admin, project):
    """Return a function that asks below the project's DICOMweb root."""
    return lambda path, **kwargs: admin.get(f"/xapi/dicomweb/projects/{project}{path}", **kwargs)


def written(dataset):
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def value(attributes, keyword):
    (first, *_) = attributes[f"{pydicom.datadict.tag_for_keyword(keyword):08X}"].get("Value", [None])
    return first["Alphabetic"] if isinstance(first, dict) else first


def parts(answer):
    """Take a multipart body apart: pairs of a part's content type and its bytes."""
    border = re.search(r"boundary=(\w+)", answer.headers["Content-Type"]).group(1).encode()
    *pieces, last = answer.content.split(b"--" + border)
    assert last == b"--\r\n"
    found = [piece.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n") for piece in pieces[1:]]
    return [(head.decode().removeprefix("Content-Type: "), body) for head, _, body in found]


def one(uid_of):
    dataset = pydicom.dcmread(uid_of, stop_before_pixels=True)
    uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    return "/studies/{}/series/{}/instances/{}".format(*uids)


class TestSearch:
    def test_studies_tell_what_a_list_of_them_shows(self, web):
        (found,) = web("/studies", params={"StudyInstanceUID": "1.2.91"}).json()
        told = {"PatientName": "Anna^Example", "AccessionNumber": "ACC1", "StudyDate": "20040826"}
        told |= {"ModalitiesInStudy": "MR", "NumberOfStudyRelatedSeries": 1, "NumberOfStudyRelatedInstances": 3}
        assert {keyword: value(found, keyword) for keyword in told} == told

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({}, 4),
            ({"ModalitiesInStudy": "CT"}, 1),
            ({"00100010": "anna*"}, 1),
            ({"PatientName": "nobody"}, 0),
            ({"StudyDate": "20040101-20041231"}, 3),
            ({"StudyDate": "-19000101"}, 0),
            ({"limit": "2"}, 2),
            ({"limit": "3", "offset": "3"}, 1),
            ({"fuzzymatching": "true", "includefield": "all"}, 4),
            ({"StudyInstanceUID": "1.2.91,1.2.3"}, 1),
        ],
    )
    def test_studies_match_what_is_asked(self, web, query, count):
        assert len(web("/studies", params=query).json()) == count

    def test_series_and_instances_are_found_below_and_across_studies(self, web):
        (series,) = web("/studies/1.2.91/series").json()
        assert (value(series, "Modality"), value(series, "NumberOfSeriesRelatedInstances")) == ("MR", 3)
        assert len(web("/series").json()) == 4
        numbers = [value(each, "InstanceNumber") for each in web("/studies/1.2.91/series/1.2.91.1/instances").json()]
        assert sorted(numbers) == [1, 2, 3]
        (second,) = web("/studies/1.2.91/instances", params={"InstanceNumber": "2"}).json()
        assert (value(second, "Rows"), value(second, "SOPInstanceUID")) == (64, "1.2.91.1.2")
        assert len(web("/instances").json()) == 6

    @pytest.mark.parametrize("query", [{"limit": "x"}, {"NoSuchThing": "1"}, {"offset": "-1"}])
    def test_a_query_that_makes_no_sense_is_refused(self, web, query):
        assert web("/studies", params=query).status_code == 400

    def test_what_is_not_there_is_a_404(self, web):
        for path in ("/studies/9.9", "/studies/9.9/series", "/studies/1.2.91/series/9", f"{one(CT)}9/metadata"):
            assert web(path).status_code == 404


class TestRetrieve:
    def test_a_study_comes_back_byte_for_byte(self, web, admin, project):
        answer = web("/studies/1.2.91", headers={"Accept": DICOM_PARTS})
        files = admin.rows(f"/data/projects/{project}/experiments/mr/scans/ALL/files")
        assert [kind for kind, _ in parts(answer)] == ["application/dicom"] * 3
        assert sorted(body for _, body in parts(answer)) == sorted(admin.get(file["URI"]).content for file in files)

    def test_what_is_not_offered_is_406(self, web):
        assert web("/studies/1.2.91", headers={"Accept": "text/html"}).status_code == 406
        assert web(f"{one(CT)}/metadata", headers={"Accept": "application/dicom+xml"}).status_code == 406
        assert web(f"{one(CT)}/rendered", headers={"Accept": "image/gif"}).status_code == 406

    @pytest.mark.parametrize("file", [CT, J2K, RLE], ids=["CT", "JPEG 2000", "RLE"])
    def test_metadata_is_pydicoms_own_json_but_for_large_values(self, web, file):
        (told,) = web(f"{one(file)}/metadata").json()
        expected = json.loads(pydicom.dcmread(file).to_json(1024, lambda _: "somewhere"))
        assert told.keys() == expected.keys()
        for tag, element in expected.items():
            if "BulkDataURI" in element:
                assert told[tag]["BulkDataURI"].endswith(f"{one(file)}/bulkdata/{tag}")
                assert told[tag]["vr"] == element["vr"]
            else:
                assert told[tag] == element

    def test_a_series_tells_the_metadata_of_all_its_instances(self, web):
        told = web("/studies/1.2.91/series/1.2.91.1/metadata", headers={"Accept": "application/dicom+json"})
        assert sorted(value(each, "InstanceNumber") for each in told.json()) == [1, 2, 3]

    def test_bulk_data_is_the_elements_value(self, web):
        (told,) = web(f"{one(CT)}/metadata").json()
        address = told["7FE00010"]["BulkDataURI"]
        assert web(address.partition("/studies")[1] + address.partition("/studies")[2]).content == (
            pydicom.dcmread(CT).PixelData
        )
        for path, status in {"00100010/0": 404, "xyz": 400, "7FE00011": 404, "00081140/0/00081150": 404}.items():
            assert web(f"{one(CT)}/bulkdata/{path}").status_code == status


class TestPixels:
    def test_native_frames_are_little_endian(self, web):
        ((kind, body),) = parts(web(f"{one(CT)}/frames/1"))
        assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
        assert body == pydicom.dcmread(CT).PixelData

    def test_compressed_frames_come_as_stored(self, web):
        frames = parts(web(f"{one(RLE)}/frames/2,1", headers={"Accept": "multipart/related; transfer-syntax=*"}))
        stored = list(generate_frames(pydicom.dcmread(RLE).PixelData, number_of_frames=2))
        assert [body for _, body in frames] == stored[::-1]
        assert frames[0][0] == "image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5"

    @pytest.mark.parametrize("file", [J2K, RLE], ids=["JPEG 2000", "RLE"])
    def test_compressed_frames_are_decoded_for_who_asks(self, web, file):
        accept = 'multipart/related; type="application/octet-stream"'
        ((kind, body),) = parts(web(f"{one(file)}/frames/1", headers={"Accept": accept}))
        assert kind.startswith("application/octet-stream")
        assert body == pixel_array(file, index=0, raw=True).tobytes()

    @pytest.mark.parametrize("frames", ["0", "2", "x", "1,", "-1", "99999999999999999999", ",".join("1" * 101)])
    def test_a_frame_that_is_not_there_is_refused(self, web, frames):
        assert web(f"{one(CT)}/frames/{frames}").status_code in {400, 404}

    def test_a_picture_follows_the_window(self, web):
        hounsfield = pixel_array(CT).astype(float) + float(pydicom.dcmread(CT).RescaleIntercept)
        drawn = Image.open(io.BytesIO(web(f"{one(CT)}/rendered", params={"window": "40,400,linear"}).content))
        expected = np.clip((hounsfield - 39.5) / 399 + 0.5, 0, 1) * 255
        assert np.abs(np.asarray(drawn, dtype=float) - expected).max() <= 1
        other = web(f"{one(CT)}/rendered", params={"window": "-600,1500"}).content
        assert other != web(f"{one(CT)}/rendered").content

    def test_a_picture_may_be_jpeg_and_in_colour(self, web):
        answer = web(f"{one(RLE)}/frames/2/rendered", headers={"Accept": "image/jpeg"})
        drawn = Image.open(io.BytesIO(answer.content))
        assert (answer.headers["Content-Type"], drawn.format, drawn.mode) == ("image/jpeg", "JPEG", "RGB")

    @pytest.mark.parametrize("window", ["x", "1", "1,0", "nan,nan", "1e99,5", "1,inf"])
    def test_a_window_that_makes_no_sense_is_refused(self, web, window):
        assert web(f"{one(CT)}/rendered", params={"window": window}).status_code == 400

    @pytest.mark.parametrize(
        "changes", [{"Rows": 65_535, "Columns": 65_535}, {"Rows": 0}, {"BitsAllocated": 7}, {"Rows": None}]
    )
    def test_an_image_that_lies_about_itself_is_a_422(self, web, admin, project, changes):
        content = altered(CT, StudyInstanceUID="6.6", SOPInstanceUID="6.6.6", **changes)
        admin.import_zip(project, zip_of(content), session="liar", overwrite="delete")
        path = f"/studies/6.6/series/{pydicom.dcmread(CT).SeriesInstanceUID}/instances/6.6.6"
        assert web(f"{path}/rendered").status_code == 422
        assert web(f"{path}/metadata").status_code == 200
        admin.delete(f"/data/projects/{project}/experiments/liar")


class TestRights:
    def test_a_stranger_finds_no_project_and_a_collaborator_reads(self, admin, project):
        with admin.new_user() as somebody:
            for path in ("/studies", "/studies/1.2.91", f"{one(CT)}/rendered", f"{one(CT)}/frames/1"):
                assert somebody.get(f"/xapi/dicomweb/projects/{project}{path}").status_code == 404
            admin.put(f"/data/projects/{project}/users/Collaborators/{somebody.auth[0]}")
            assert len(somebody.get(f"/xapi/dicomweb/projects/{project}/studies").json()) == 4
        assert somebody.get(f"/xapi/dicomweb/projects/{admin.new_project()}/studies").status_code == 404

    def test_a_study_is_found_only_in_its_own_project(self, admin):
        assert admin.get(f"/xapi/dicomweb/projects/{admin.new_project()}/studies/1.2.91").status_code == 404


def test_numbers_that_json_lacks_are_spelled_out(web, admin, project):
    dataset = pydicom.dcmread(MR)
    dataset.StudyInstanceUID = "7.7"
    dataset.DiffusionBValue = float("nan")
    dataset.ImagerPixelSpacing = None
    admin.import_zip(project, zip_of(written(dataset)), session="odd")
    (told,) = web("/studies/7.7/metadata").json()
    assert told["00189087"] == {"vr": "FD", "Value": ["NaN"]}
    admin.delete(f"/data/projects/{project}/experiments/odd")
