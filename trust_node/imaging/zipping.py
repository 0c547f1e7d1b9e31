"""Zips as XNAT reads them, stored and not deflated: deflating DICOM is 60 times slower than sending it."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile


def zip_files(files: Iterable[Path], target: Path) -> Path:
    """Write `files` flat into a zip on disk and return it.

    On disk, because Java reads no stored entry whose size comes after it, as a stream's would.
    """
    with ZipFile(target, "w", ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.name)
    return target


def unzip_flat(archive: Path, folder: Path) -> int:
    """Write the zip's files into `folder`, numbered and ending in `.dcm`; return how many.

    Names inside are not used: they could point outside of `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive) as source:
        members = [member for member in source.infolist() if not member.is_dir()]
        for number, member in enumerate(members):
            with source.open(member) as inside, (folder / f"{number:06}.dcm").open("wb") as outside:
                shutil.copyfileobj(inside, outside, 1 << 20)
    return len(members)
