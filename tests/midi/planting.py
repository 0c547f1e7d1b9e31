"""Plants a patient in an object, and writes down what must become of each planted thing."""

from collections.abc import Iterator

from pydicom import DataElement, Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileDataset

from tests.midi.attributes import BYTES, DATES, NUMBERS, TEXTS, Values, identifying, listed
from tests.midi.key import Answer, Category, Path

USEFUL = "T1 AX FLAIR"
# What research needs and no rule asks to remove.
RETAINED = (
    "SOPClassUID", "Modality", "ImageType", "Manufacturer", "BodyPartExamined", "SliceThickness", "KVP", "EchoTime",
    "RepetitionTime", "SpacingBetweenSlices", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "NumberOfFrames",
    "InstanceNumber", "SeriesNumber", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "DoseUnits",
    "DoseGridScaling", "MagneticFieldStrength", "PatientPosition", "SequenceName", "FlipAngle",
    "PerFrameFunctionalGroupsSequence",
)  # fmt: skip


class Planter:
    """Plants in one object; `answers` grows as it goes."""

    def __init__(self, instance: str, values: Values) -> None:
        self.instance, self.values = instance, values
        self.answers: list[Answer] = []

    def ask(self, category: Category, path: Path = (), planted: object = None, refers: str = "") -> None:
        self.answers.append(Answer(category, self.instance, path, planted, refers=refers))

    def everywhere(self, dataset: FileDataset) -> None:
        """Plant in every listed attribute, private blocks, overlays, curves, deep sequences and the file's head."""
        for keyword in RETAINED:
            tag = tag_for_keyword(keyword)
            if tag in dataset and tag not in identifying():
                self.ask(Category.TAG_RETAINED, (tag,), dataset[tag].value)
        for tag, vr in listed():
            self.plant(dataset, (tag,), vr)
        self._deep(dataset)
        self._private(dataset)
        self._repeating(dataset)
        self._head(dataset)

    def plant(self, dataset: Dataset, path: Path, vr: str) -> None:
        """Put a value of `vr` at the end of `path`, `dataset` being the innermost item."""
        if vr == "SQ":
            self._item(dataset, path)
            return
        value = self.values.of(vr)
        dataset.add(DataElement(path[-1], vr, value))
        if vr in TEXTS | BYTES | NUMBERS:
            self.ask(Category.TEXT_REMOVED, path, value)
        elif vr in DATES:
            self.ask(Category.DATE_SHIFTED, path, value)
        elif vr == "UI":
            self.ask(Category.UID_CHANGED, path, value)

    def _item(self, dataset: Dataset, path: Path) -> None:
        item = Dataset()
        for keyword, vr in (("PatientName", "PN"), ("StudyDate", "DA"), ("ReferencedSOPInstanceUID", "UI")):
            self.plant(item, (*path, 0, tag_for_keyword(keyword)), vr)
        dataset.add(DataElement(path[-1], "SQ", [item]))

    def _deep(self, dataset: Dataset) -> None:
        """Three sequences deep, in places that the table doesn't list and so nobody removes whole."""
        sequences = [tag_for_keyword(k) for k in ("AnatomicRegionSequence", "AnatomicRegionModifierSequence",
                                                  "PurposeOfReferenceCodeSequence")]  # fmt: skip
        path = (sequences[0], 0, sequences[1], 0, sequences[2], 0)
        inner = Dataset()
        for keyword, vr in (
            ("PatientName", "PN"), ("PatientAddress", "LO"), ("OperatorsName", "PN"), ("PatientTelephoneNumbers", "SH"),
            ("InstitutionName", "LO"), ("TextValue", "UT"), ("StudyDate", "DA"), ("StudyInstanceUID", "UI"),
        ):  # fmt: skip
            self.plant(inner, (*path, tag_for_keyword(keyword)), vr)
        inner.private_block(0x0009, "CANARY DEEP", create=True).add_new(1, "LO", token := self.values.token())
        self.ask(Category.TEXT_REMOVED, (*path, 0x00091001), token)
        for tag in reversed(sequences):
            outer = Dataset()
            outer.add(DataElement(tag, "SQ", [inner]))
            inner = outer
        dataset.update(inner)

    def _private(self, dataset: Dataset) -> None:
        for group, creator in ((0x0009, "CANARY OUTER"), (0x0019, "CANARY MIDDLE"), (0x7FE1, "CANARY LAST")):
            block = dataset.private_block(group, creator, create=True)
            for number, vr in enumerate(("LO", "PN", "UN", "OB", "DA", "UI"), start=0x21):
                value = self.values.of(vr)
                block.add_new(number, vr, value)
                self.ask(Category.TEXT_REMOVED, (block.get_tag(number),), value)

    def _repeating(self, dataset: Dataset) -> None:
        for tag, vr in (
            (0x50003000, "OW"),
            (0x50002500, "LO"),
            (0x60003000, "OW"),
            (0x60000022, "LO"),
            (0x60004000, "LT"),
        ):
            value = self.values.of("OB" if vr == "OW" else vr)
            dataset.add_new(tag, vr, value)
            self.ask(Category.TEXT_REMOVED, (tag,), value)

    def _head(self, dataset: FileDataset) -> None:
        preamble, sender, information = (self.values.token() for _ in range(3))
        dataset.preamble = preamble.encode().ljust(128, b"\0")
        dataset.file_meta.SourceApplicationEntityTitle = sender
        dataset.file_meta.PrivateInformationCreatorUID = uid = str(self.values.of("UI"))
        dataset.file_meta.PrivateInformation = information.encode() + b"\0"
        for planted in (preamble, sender, information, uid):
            self.ask(Category.TEXT_REMOVED, (), planted)


def in_free_text(dataset: Dataset, planter: Planter, phrases: tuple[str, ...]) -> None:
    """Hide a name, an address and a telephone number between words that research would like to keep."""
    for keyword in ("StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments"):
        tag = tag_for_keyword(keyword)
        text = f"{USEFUL}, {phrases[0]}" if keyword != "ImageComments" else f"{USEFUL}, {', '.join(phrases)}"
        dataset.add_new(
            tag, "LT" if keyword == "ImageComments" else "LO", text[:64] if keyword != "ImageComments" else text
        )
        for phrase in phrases if keyword == "ImageComments" else phrases[:1]:
            planter.ask(Category.TEXT_REMOVED, (tag,), phrase)


def useful_words(planter: Planter) -> Iterator[Answer]:
    """What Clean Descriptors is there to keep."""
    for keyword in ("StudyDescription", "SeriesDescription", "ProtocolName"):
        for word in USEFUL.split():
            yield Answer(Category.TEXT_RETAINED, planter.instance, (tag_for_keyword(keyword),), word)
