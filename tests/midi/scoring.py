"""Compares what came out with the key, and counts as the MIDI-B challenge does: correct of required actions."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO

import pydicom
from pydicom import DataElement, Dataset
from pydicom.dataset import FileDataset
from pydicom.multival import MultiValue

from tests.midi.attributes import plain, steps
from tests.midi.key import Answer, Category, Path
from tests.unit.imaging.deid.pixels.samples import decoded


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object: its file, or None if it is held."""

    original: bytes
    encoded: bytes | None
    patient: int = 0


@dataclass(slots=True)
class Score:
    required: Counter[Category] = field(default_factory=Counter)
    correct: Counter[Category] = field(default_factory=Counter)
    misses: list[Answer] = field(default_factory=list)
    missing: frozenset[str] = frozenset()

    @property
    def share(self) -> float:
        return self.correct.total() / self.required.total()

    def told(self) -> list[str]:
        """The misses for people: category, kind of object, place; once where a whole object is missing."""
        return sorted({self._told(miss) for miss in self.misses})

    def _told(self, miss: Answer) -> str:
        kind = miss.instance.split("/")[1]
        if miss.instance in self.missing:
            return f"{kind} was held and should not have been"
        return f"{miss.category}: {kind}: {plain(miss.path)}"


class Scorer:
    """Judges answers against outcomes."""

    def __init__(self, outcomes: Mapping[str, Outcome]) -> None:
        self.outcomes = outcomes
        self.results = {name: pydicom.dcmread(BytesIO(o.encoded)) for name, o in outcomes.items() if o.encoded}
        self.bytes = {name: o.encoded.upper() for name, o in outcomes.items() if o.encoded}
        self.shifts: dict[int, timedelta] = {}
        self.uids: dict[str, str] = {}
        self.ids: dict[str, str] = {}

    def score(self, key: Iterable[Answer]) -> Score:
        score = Score(missing=frozenset(name for name, outcome in self.outcomes.items() if outcome.encoded is None))
        for answer in key:
            score.required[answer.category] += 1
            if self._right(answer):
                score.correct[answer.category] += 1
            else:
                score.misses.append(answer)
        return score

    def _right(self, answer: Answer) -> bool:
        if answer.category is Category.HELD:
            return self.outcomes[answer.instance].encoded is None
        result = self.results.get(answer.instance)
        return result is not None and _JUDGES[answer.category](self, answer, result)

    def _text_removed(self, answer: Answer, result: FileDataset) -> bool:
        """Text must be gone from every byte of the file; a number, which chance may repeat, from its place."""
        planted = answer.planted
        if isinstance(planted, int) or str(planted).removesuffix("Y").isdigit():
            return str(planted) not in values(result, answer.path)
        needle = planted.strip(b"\0") if isinstance(planted, bytes) else str(planted).partition("^")[0].encode()
        return needle.upper() not in self.bytes[answer.instance]

    def _tag_retained(self, answer: Answer, result: FileDataset) -> bool:
        found = element(result, answer.path)
        if found is not None and found.VR == "SQ":
            return len(found.value) == len(answer.planted)  # type: ignore[arg-type]
        return found is not None and found.value == answer.planted

    def _text_not_null(self, answer: Answer, result: FileDataset) -> bool:
        return any(values(result, answer.path))

    def _text_retained(self, answer: Answer, result: FileDataset) -> bool:
        """A word of a text, or all of it."""
        return any(
            str(answer.planted) in (text, *text.replace(",", " ").split()) for text in values(result, answer.path)
        )

    def _date_shifted(self, answer: Answer, result: FileDataset) -> bool:
        """Moved by the patient's one shift, in its precision, or gone; never as it was."""
        planted, found = str(answer.planted), values(result, answer.path)
        if not any(found):
            return True
        return found == [moved(planted, self._shift(answer.instance))]

    def _shift(self, instance: str) -> timedelta:
        """The patient's shift, read off the first object of the patient; one and the same for all."""
        patient = self.outcomes[instance].patient
        if patient not in self.shifts:
            self.shifts[patient] = self._first_shift(patient)
        return self.shifts[patient]

    def _first_shift(self, patient: int) -> timedelta:
        first = next(name for name, o in self.outcomes.items() if o.patient == patient and o.encoded)
        before = pydicom.dcmread(BytesIO(self.outcomes[first].original), stop_before_pixels=True).StudyDate
        return _day(before) - _day(self.results[first].StudyDate)

    def _uid_changed(self, answer: Answer, result: FileDataset) -> bool:
        del result  # wherever in the file it may stand
        return str(answer.planted).encode() not in self.bytes[answer.instance]

    def _uid_consistent(self, answer: Answer, result: FileDataset) -> bool:
        """One new UID for one old one in the whole set, none for two, and references lead where they led."""
        found = values(result, answer.path)
        referred = self.results.get(answer.refers)
        if len(found) != 1 or (answer.refers and (referred is None or found[0] != referred.SOPInstanceUID)):
            return False
        new = self.uids.setdefault(str(answer.planted), found[0])
        return new == found[0] and list(self.uids.values()).count(new) == 1

    def _patient_id_consistent(self, answer: Answer, result: FileDataset) -> bool:
        new = self.ids.setdefault(str(answer.planted), str(result.PatientID))
        return new == result.PatientID != answer.planted and list(self.ids.values()).count(new) == 1

    def _pixels_hidden(self, answer: Answer, result: FileDataset) -> bool:
        left, top, right, bottom = answer.box or ()
        box = decoded(result)[:, top:bottom, left:right]
        return bool((box == box[:1, :1, :1]).all())

    def _pixels_retained(self, answer: Answer, result: FileDataset) -> bool:
        left, top, right, bottom = answer.box or ()
        original = pydicom.dcmread(BytesIO(self.outcomes[answer.instance].original))
        same = decoded(result)[:, top:bottom, left:right] == decoded(original)[:, top:bottom, left:right]
        return bool(same.all())


_JUDGES: dict[Category, Callable[[Scorer, Answer, FileDataset], bool]] = {
    Category.TEXT_REMOVED: Scorer._text_removed,
    Category.TAG_RETAINED: Scorer._tag_retained,
    Category.TEXT_NOT_NULL: Scorer._text_not_null,
    Category.TEXT_RETAINED: Scorer._text_retained,
    Category.DATE_SHIFTED: Scorer._date_shifted,
    Category.UID_CHANGED: Scorer._uid_changed,
    Category.UID_CONSISTENT: Scorer._uid_consistent,
    Category.PATIENT_ID_CONSISTENT: Scorer._patient_id_consistent,
    Category.PIXELS_HIDDEN: Scorer._pixels_hidden,
    Category.PIXELS_RETAINED: Scorer._pixels_retained,
}


def element(dataset: Dataset, path: Path) -> DataElement | None:
    """What stands at the end of a path, None where the way there is gone."""
    for tag, place in steps(path):
        items = dataset[tag].value if tag in dataset else []
        if place >= len(items):
            return None
        dataset = items[place]
    return dataset.get(path[-1])


def values(dataset: Dataset, path: Path) -> list[str]:
    found = element(dataset, path)
    if found is None:
        return []
    several = found.value if isinstance(found.value, MultiValue) else [found.value]
    return [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in several]


def moved(planted: str, shift: timedelta) -> str:
    return f"{_day(planted) - shift:%Y%m%d}{planted[8:]}"


def _day(text: str) -> date:
    return date.fromisoformat(text[:8])
