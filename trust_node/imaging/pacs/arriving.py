"""Images of one study that come on a line we opened: checked, bounded, and put into the spool."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain

from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag

from trust_node.imaging.pacs.hits import valid_uid
from trust_node.imaging.pacs.troubles import PacsError, Trouble
from trust_node.imaging.spool import Spool

INSTANCE_BYTES = 2 * 2**30
MOST_INSTANCES = 100_000
LOOK_AHEAD = 256 * 1024
SOP_INSTANCE_UID, STUDY_INSTANCE_UID = Tag("SOPInstanceUID"), Tag("StudyInstanceUID")


@dataclass(slots=True)
class Arriving:
    """Takes the images of `study_uid`, as Part 10 files in pieces; `stored` counts those that are on disk."""

    spool: Spool
    study_uid: str = field(repr=False)
    stored: int = 0
    received: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def store(self, pieces: Iterable[bytes]) -> None:
        """Put one image into the spool.

        Raises
        ------
        PacsError
            If it is of another study, without UIDs, too large, one too many, or the disk does not take it.
        """
        if self.stored >= MOST_INSTANCES:
            raise PacsError(Trouble.TOO_MUCH, f"more than {MOST_INSTANCES} images of one study")
        bounded = self._bounded(pieces)
        head = _head(bounded)
        study, instance = _uids(head)
        if study != self.study_uid:
            raise PacsError(Trouble.WRONG_STUDY)
        try:
            self.spool.write(study, instance, chain([head], bounded))
        except OSError as error:
            raise PacsError(Trouble.SPOOL_UNWRITABLE, f"errno {error.errno}") from None
        self.stored += 1

    def stop(self) -> None:
        """Take nothing more, what is on its way included."""
        self._stopped.set()

    def _bounded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            self.received += len(piece)
            if size > INSTANCE_BYTES:
                raise PacsError(Trouble.TOO_MUCH, f"an image of more than {INSTANCE_BYTES} bytes")
            if self._stopped.is_set():
                raise PacsError(Trouble.CUT_OFF, "by us")
            yield piece


def _head(pieces: Iterator[bytes]) -> bytes:
    head = bytearray()
    for piece in pieces:
        head += piece
        if len(head) >= LOOK_AHEAD:
            break
    return bytes(head)


def _uids(head: bytes) -> tuple[str, str]:
    """Read the header up to Study Instance UID and no further; return that and the SOP Instance UID."""
    try:
        header = read_partial(
            BytesIO(head), stop_when=_past_study, specific_tags=[SOP_INSTANCE_UID, STUDY_INSTANCE_UID]
        )
        return valid_uid(str(header.StudyInstanceUID)), valid_uid(str(header.SOPInstanceUID))
    except PacsError:
        raise
    except Exception as error:  # noqa: BLE001  hostile bytes break a parser in any way it knows
        raise PacsError(Trouble.UNREADABLE, f"an image without UIDs, {type(error).__name__}") from None


def _past_study(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return bool(tag > STUDY_INSTANCE_UID)
