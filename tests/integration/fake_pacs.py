"""A PACS that misbehaves as it is told: slow, refusing, dropping, miscounting, sending too little or too much."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from infra.parts.part import free_port
from trust_node.imaging.sockets import keep_answers

SUCCESS, PENDING, CANCELLED = 0x0000, 0xFF00, 0xFE00


@dataclass
class Study:
    """What the PACS holds of one study; `told` is the count it gives, None for none at study level."""

    accession: str
    images: int = 3
    told: int | None = -1
    told_by_series: int | None = None
    study_uid: str = field(default_factory=generate_uid)
    date: str = "20200305"

    def files(self) -> list[Dataset]:
        return [image_of(self.study_uid, self.accession, number + 1) for number in range(self.images)]


@dataclass
class FakePacs:
    """Change a field at any time; the next request is answered by it.

    `find_status`, `move_status`: a refusal in place of an answer. `sends`: only so many images.
    `stalls_after`: says nothing more after so many images, until released. `drops_after`: cuts the connection.
    `stranger`: also sends an image of another study. `answers`: so many answers to each query.
    `deaf_to_cancel`: goes on being silent when it is asked to stop.
    `raw`: bytes of no protocol in place of an answer to a query.
    `pause_s`, `image_pause_s`: before each answer to a query, and before each image.
    """

    studies: list[Study] = field(default_factory=list)
    title: str = "FAKEPACS"
    port: int = field(default_factory=free_port)
    destination: tuple[str, int] | None = None
    known_titles: tuple[str, ...] = ()
    find_status: int | None = None
    move_status: int | None = None
    sends: int | None = None
    stalls_after: int | None = None
    drops_after: int | None = None
    stranger: bool = False
    answers: int = 1
    garbage: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""
    pause_s: float = 0.0
    image_pause_s: float = 0.0
    with_get: bool = True
    most_associations: int = 10
    deaf_to_cancel: bool = False
    queries: list[str] = field(default_factory=list)
    cancels: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["FakePacs"]:
        server = self._entity().start_server(("127.0.0.1", self.port), block=False, evt_handlers=self._handlers())
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()

    def _entity(self) -> AE:
        entity = AE(self.title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.known_titles)
        entity.maximum_associations = self.most_associations
        for model in (
            Verification,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelMove,
        ):
            entity.add_supported_context(model)
        if self.with_get:
            entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
            for context in AllStoragePresentationContexts:
                entity.add_supported_context(str(context.abstract_syntax), scu_role=True, scp_role=True)
        return entity

    def _handlers(self) -> list[Any]:
        return [(evt.EVT_C_FIND, self._find), (evt.EVT_C_MOVE, self._move), (evt.EVT_C_GET, self._get)]

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        self.queries.append(str(asked.get("AccessionNumber", "")))
        self.released.wait(self.pause_s)
        if self.raw:
            event.assoc.dul.socket.socket.sendall(self.raw)
        if self.find_status is not None:
            yield self.find_status, None
            return
        for study in self.studies * self.answers:
            if asked.QueryRetrieveLevel == "SERIES":
                if study.study_uid == asked.StudyInstanceUID:
                    yield PENDING, self._series(study)
            else:
                yield PENDING, self._study(study)

    def _study(self, study: Study) -> Dataset:
        told = Dataset()
        told.QueryRetrieveLevel = "STUDY"
        told.StudyInstanceUID, told.AccessionNumber, told.StudyDate = study.study_uid, study.accession, study.date
        if study.told is not None:
            told.NumberOfStudyRelatedInstances = study.images if study.told < 0 else study.told
        for keyword, value in self.garbage.items():
            setattr(told, keyword, value)
        return told

    def _series(self, study: Study) -> Dataset:
        told = Dataset()
        told.QueryRetrieveLevel, told.StudyInstanceUID = "SERIES", study.study_uid
        if study.told_by_series is not None:
            told.NumberOfSeriesRelatedInstances = study.told_by_series
        return told

    def _move(self, event: evt.Event) -> Iterator[Any]:
        if self.destination is None or self.move_status == 0xA801:
            yield None, None
            return
        title, port = self.destination
        # pynetdicom drops an answer now and then on an association that it opened (`keep_answers` says why).
        prompt = [(evt.EVT_ESTABLISHED, lambda opened: keep_answers(opened.assoc))]
        yield "127.0.0.1", port, {"ae_title": title, "contexts": _contexts(), "evt_handlers": prompt}
        yield from self._images(event)

    def _get(self, event: evt.Event) -> Iterator[Any]:
        yield from self._images(event)

    def _images(self, event: evt.Event) -> Iterator[Any]:
        study = next((each for each in self.studies if each.study_uid == event.identifier.StudyInstanceUID), None)
        images = study.files() if study else []
        if self.stranger:
            images.append(image_of(generate_uid(), "STRANGE", 1))
        yield len(images)
        if self.move_status is not None:
            yield self.move_status, None
            return
        for number, image in enumerate(images[: self.sends]):
            if number == self.drops_after:
                event.assoc.dul.socket.close()
                return
            if number == self.stalls_after and self._silent(event):
                yield CANCELLED, None
                return
            self.released.wait(self.image_pause_s)
            yield PENDING, image

    def _silent(self, event: evt.Event) -> bool:
        """Say nothing until released; return whether that was by a C-CANCEL."""
        while not self.released.wait(0.05):
            if event.is_cancelled:
                self.cancels += 1
                if not self.deaf_to_cancel:
                    return True
        return False


def image_of(study_uid: str, accession: str, number: int) -> Dataset:
    image = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    image.StudyInstanceUID, image.AccessionNumber, image.InstanceNumber = study_uid, accession, number
    image.PatientID = "PAT-1"
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return image


def _contexts() -> list[Any]:
    wanted = pydicom.dcmread(get_testdata_file("MR_small.dcm"), stop_before_pixels=True)
    from pynetdicom import build_context

    return [build_context(wanted.SOPClassUID, wanted.file_meta.TransferSyntaxUID)]
