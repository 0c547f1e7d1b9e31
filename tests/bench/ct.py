"""Synthetic CT: 512 x 512 slices of 16 bit, 526 KB and 95 elements each, under an invented patient."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SIDE = 512
SERIES_OF = 100
SPACING_MM = (0.7, 0.7, 1.0)
PATIENT = ("Canaryson^Jane", "MRN0815-4711", "19660606", "7 Canary Lane")
NOISES = 16


def make_slices(folder: Path, studies: int = 1, slices: int = 1000) -> list[Path]:
    """Write `slices` files for each study, series of 100, named in their order; the same pixels every time."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = list(_bodies())
    return [
        _write(folder / f"{study:03d}-{number:05d}.dcm", image, number, pixels[number % NOISES])
        for study in range(studies)
        for number, image in enumerate(_images(study, slices))
    ]


def _write(path: Path, image: FileDataset, number: int, pixels: bytes) -> Path:
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    image.InstanceNumber = number % SERIES_OF + 1
    image.SliceLocation = float(number % SERIES_OF * SPACING_MM[2])
    image.ImagePositionPatient = [-179.2, -179.2, image.SliceLocation]
    image.PixelData = pixels
    image.save_as(path, enforce_file_format=True)
    return path


def _images(study: int, slices: int) -> Iterator[FileDataset]:
    """One data set per series, yielded anew for each slice of it."""
    patient, study_uid, frame = _patient_and_study(study), generate_uid(), generate_uid()
    for first in range(0, slices, SERIES_OF):
        image = _series(patient, study_uid, frame, first // SERIES_OF + 1)
        for _ in range(min(SERIES_OF, slices - first)):
            yield image


def _series(patient: Dataset, study_uid: str, frame: str, number: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.update(patient)
    image.update(_acquisition())
    image.update(_geometry())
    image.SOPClassUID, image.StudyInstanceUID, image.FrameOfReferenceUID = CTImageStorage, study_uid, frame
    image.SeriesInstanceUID, image.SeriesNumber = generate_uid(), number
    return image


def _patient_and_study(study: int) -> Dataset:
    name, mrn, birth, address = PATIENT
    values = Dataset()
    values.update({
        "PatientName": name, "PatientID": f"{mrn}-{study}", "PatientBirthDate": birth, "PatientAddress": address,
        "PatientSex": "F", "PatientAge": "053Y", "PatientWeight": "71", "PatientSize": "1.68",
        "OtherPatientIDs": f"NHS{study:010d}", "PatientTelephoneNumbers": "020 7946 0018",
        "PatientMotherBirthName": "Finchley", "EthnicGroup": "B", "PatientComments": "Sister of Canaryson^Rose",
        "PregnancyStatus": 1, "AccessionNumber": f"ACC{study:08d}", "StudyID": f"S{study}",
        "StudyDate": "20190704", "StudyTime": "101112", "StudyDescription": "CT chest of Jane Canaryson",
        "ReferringPhysicianName": "Finchley^Bob", "PhysiciansOfRecord": "Wren^Ada",
        "PerformingPhysicianName": "Heron^Cy", "NameOfPhysiciansReadingStudy": "Rook^Di",
        "OperatorsName": "Swift^Ed", "InstitutionName": "Canary Hospital", "InstitutionAddress": "1 Aviary Road",
        "InstitutionalDepartmentName": "Radiology", "StationName": "CANARY1", "RequestingPhysician": "Finchley^Bob",
        "RequestedProcedureDescription": "CT chest",
    })  # fmt: skip
    return values


def _acquisition() -> Dataset:
    values = Dataset()
    values.update({
        "SpecificCharacterSet": "ISO_IR 100", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "Modality": "CT",
        "SeriesDate": "20190704", "AcquisitionDate": "20190704", "ContentDate": "20190704",
        "SeriesTime": "101200", "AcquisitionTime": "101201", "ContentTime": "101202",
        "Manufacturer": "Aviary", "ManufacturerModelName": "Nest 64", "DeviceSerialNumber": "SN-CANARY",
        "SoftwareVersions": "4.2", "SeriesDescription": "Thorax 1.0", "ProtocolName": "Chest",
        "BodyPartExamined": "CHEST", "ContrastBolusAgent": "", "ScanOptions": "HELIX", "SliceThickness": "1.0",
        "KVP": "120", "DataCollectionDiameter": "500", "ReconstructionDiameter": "358.4",
        "DistanceSourceToDetector": "1040", "DistanceSourceToPatient": "570", "GantryDetectorTilt": "0",
        "TableHeight": "160", "RotationDirection": "CW", "ExposureTime": "500", "XRayTubeCurrent": "300",
        "Exposure": "150",
        "ConvolutionKernel": "B30f", "PatientPosition": "HFS", "AcquisitionNumber": 1,
        "PerformedProcedureStepStartDate": "20190704", "PerformedProcedureStepStartTime": "101000",
        "PerformedProcedureStepID": "PPS1", "PerformedProcedureStepDescription": "CT chest",
        "SpacingBetweenSlices": "1.0", "BurnedInAnnotation": "NO",
    })  # fmt: skip
    return values


def _geometry() -> Dataset:
    values = Dataset()
    values.update({
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": list(SPACING_MM[:2]),
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": SIDE, "Columns": SIDE,
        "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
        "RescaleIntercept": "-1024", "RescaleSlope": "1", "RescaleType": "HU",
        "WindowCenter": "40", "WindowWidth": "400", "LossyImageCompression": "00",
    })  # fmt: skip
    return values


def _bodies() -> Iterator[bytes]:
    """A round body in air, with noise, so that it compresses as a real slice does."""
    dice = np.random.default_rng(0)
    across = np.linspace(-1, 1, SIDE)
    body = across[:, None] ** 2 + (across[None, :] * 1.3) ** 2 < 0.7
    for _ in range(NOISES):
        yield (np.where(body, 1064, 24) + dice.normal(0, 12, (SIDE, SIDE))).clip(0, 4095).astype("<u2").tobytes()
