"""What training code finds: each image, and beside it the mask that was drawn on it, if that fits."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from trust_node.imaging.enrichment.flaws import Flaw, FlawError, Problem
from trust_node.imaging.enrichment.grids import Grid, grid_of, write_labels
from trust_node.imaging.enrichment.masks import by_scan, is_image, is_mask, read_mask
from trust_node.training.library import MARK, folder_name

RESOURCES = ("NIFTI", "SEG", "LABELS")


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file of a scan; paths are relative to the data folder, ``mask`` is empty if there is none."""

    study: str
    scan: str
    path: str
    mask: str = ""


@dataclass(slots=True)
class View:
    """Built aside and put in place whole: ``folder/images/<study>/<scan>/input_….nii.gz`` and ``label_….nii.gz``.

    ``known`` are the values that masks may hold, None allows any.
    """

    folder: Path
    known: frozenset[int] | None
    problems: list[Problem]

    def build(self, studies: Iterable[str]) -> list[Picture]:
        """Lay out the studies whose resources lie in ``folder/resources``; return all images."""
        staged = self.folder / "incoming" / uuid.uuid4().hex
        staged.mkdir(parents=True)
        try:
            pictures = [picture for study in studies for picture in self._study(study, staged)]
            shutil.rmtree(self.folder / "images", ignore_errors=True)
            staged.replace(self.folder / "images")
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return pictures

    def _study(self, study: str, staged: Path) -> list[Picture]:
        images, masks = self._files(study, is_image, ("NIFTI",)), self._files(study, is_mask, RESOURCES)
        for scan in sorted(masks.keys() - images.keys()):
            self._refuse(masks[scan], Flaw.UNKNOWN_SCAN)
        return [
            picture
            for scan, files in sorted(images.items())
            for picture in self._scan(study, scan, staged, files, masks.get(scan, []))
        ]

    def _scan(
        self, study: str, scan: str, staged: Path, images: Sequence[Path], masks: Sequence[Path]
    ) -> list[Picture]:
        place = Path(folder_name(study)) / scan
        (staged / place).mkdir(parents=True)
        for image in images:
            os.link(image, staged / place / image.name)
        drawn = self._masks(masks, self._grids(images) if masks else {}, staged / place)
        seen = Path("images") / place
        return [
            Picture(study, unquote(scan), str(seen / image.name), str(seen / drawn[image]) if image in drawn else "")
            for image in images
        ]

    def _masks(self, masks: Iterable[Path], images: Mapping[Path, Grid], target: Path) -> dict[Path, str]:
        """Write each mask that fits beside its image; return the masks' names by image."""
        drawn: dict[Path, str] = {}
        for mask in masks:
            try:
                image, values = read_mask(mask, images, self.known)
            except FlawError as error:
                self._refuse([mask], error.flaw)
                continue
            if image in drawn:
                self._refuse([mask], Flaw.SEVERAL_MASKS)
                continue
            drawn[image] = "label_" + image.name.removeprefix("input_")
            write_labels(values, images[image], target / drawn[image])
        return drawn

    def _grids(self, images: Iterable[Path]) -> dict[Path, Grid]:
        grids: dict[Path, Grid] = {}
        for image in images:
            try:
                grids[image] = grid_of(image)
            except FlawError:
                self._refuse([image], Flaw.IMAGE_UNREADABLE)
        return grids

    def _refuse(self, files: Iterable[Path], flaw: Flaw) -> None:
        root = self.folder / "resources"
        self.problems.extend(Problem(str(file.relative_to(root)), flaw) for file in files)

    def _files(self, study: str, wanted: Callable[[str, str], bool], resources: Iterable[str]) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for resource in resources:
            root = self.folder / "resources" / folder_name(study) / resource
            files = [file for file in root.glob("*/*") if file.name != MARK and wanted(resource, file.name)]
            for scan, each in by_scan(files, root).items():
                found.setdefault(scan, []).extend(each)
        return found
