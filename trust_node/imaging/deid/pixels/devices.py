"""Which devices write where over their pictures: a catalogue, and the trust's own additions to it."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydicom import Dataset

from trust_node.imaging.deid.pixels.header import number, text
from trust_node.imaging.deid.pixels.rectangle import Rectangle

# The catalogue's columns that say which picture a row is about, and the attributes they are compared with.
TEXTS = {
    "modality": "Modality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "software": "SoftwareVersions",
    "image_type": "ImageType",
    "series": "SeriesDescription",
}
SIZES = {"rows": "Rows", "columns": "Columns"}
COLUMNS = (*TEXTS, *SIZES, "left", "top", "width", "height")


class CatalogueError(ValueError):
    """A catalogue that can't be read; the message names the line and what it lacks."""


@dataclass(frozen=True, slots=True)
class Device:
    """Pictures of one kind (conditions as attribute and upper-case alternatives) and what is written over them."""

    texts: tuple[tuple[str, tuple[str, ...]], ...]
    sizes: tuple[tuple[str, int], ...]
    rectangle: Rectangle

    @property
    def vouches(self) -> bool:
        """True if it names modality, model and rows: only then is the rest of the picture known to be free of text."""
        named = {keyword for keyword, _ in (*self.texts, *self.sizes)}
        return {"Modality", "ManufacturerModelName", "Rows"} <= named

    def made(self, texts: Mapping[str, str], sizes: Mapping[str, int]) -> bool:
        """Tell whether a picture with these attributes is one of its own."""
        return all(sizes[keyword] == size for keyword, size in self.sizes) and all(
            any(part in texts[keyword] for part in parts) for keyword, parts in self.texts
        )


@cache
def shipped() -> tuple[Device, ...]:
    """Return the catalogue that comes with this package (its origin and licence stand in its first lines)."""
    return read(files(__package__).joinpath("devices.csv").read_text(encoding="utf-8"))


def read(catalogue: str) -> tuple[Device, ...]:
    """Read a catalogue in the form of `devices.csv`: lines of CSV with a header; `#` begins a remark.

    Raises
    ------
    CatalogueError
        If a column is missing, a size is no number or a row names neither manufacturer nor model.
    """
    lines = [line for line in catalogue.splitlines() if line.strip() and not line.startswith("#")]
    table = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        raise CatalogueError(
            f"devices: the columns {', '.join(missing)} are missing; copy the first line of devices.csv"
        )
    return tuple(_device(row, place) for place, row in enumerate(table, start=2))


def _device(row: dict[str, str], place: int) -> Device:
    try:
        numbers = {name: int(row[name]) for name in (*SIZES, "left", "top", "width", "height") if row[name]}
        rectangle = Rectangle(*(numbers[name] for name in ("left", "top", "width", "height")))
    except (KeyError, TypeError, ValueError):
        raise CatalogueError(f"devices: row {place} needs whole numbers for left, top, width and height") from None
    if not (row["manufacturer"] or row["model"]):
        raise CatalogueError(
            f"devices: row {place} must name a manufacturer or a model, or it would blank every picture"
        )
    texts = ((TEXTS[name], _alternatives(row[name])) for name in TEXTS if row[name])
    sizes = ((SIZES[name], numbers[name]) for name in SIZES if name in numbers)
    return Device(tuple(texts), tuple(sizes), rectangle)


def _alternatives(field: str) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in field.split("|") if part.strip())


def matching(devices: Iterable[Device], header: Dataset) -> tuple[Device, ...]:
    """Return the devices of a catalogue that made the picture."""
    texts = {keyword: text(header, keyword) for keyword in TEXTS.values()}
    sizes = {keyword: number(header, keyword) for keyword in SIZES.values()}
    return tuple(device for device in devices if device.made(texts, sizes))
