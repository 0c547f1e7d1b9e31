"""A study's files by its name, and a place in the trust's archive for what was made of them."""

import os
from pathlib import Path

from .federation import Federation, Misuse


class Images:
    """``get`` needs no network: the trust's node fetches what is not there yet, and only while a task is open."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation

    def get(self, study: str, resource: str = "NIFTI") -> Path:
        """Return the read-only folder of a study, files below it by scan.

        ``NIFTI``: each ``input_….nii.gz``, and beside it ``label_….nii.gz`` where a mask fits. ``DICOM``, ``SEG``,
        ``LABELS`` and ``DERIVED`` are as they are in the archive.
        """
        if resource != "NIFTI":
            told = self._federation.errand({"errand": "fetch", "study": study, "resource": resource})
            return self._federation.data_dir / told["path"]
        paths = [Path(row["path"]) for row in self._federation.table if row["study"] == study]
        if not paths:
            raise Misuse(f"study {study!r} is not in federation.table")
        return self._federation.data_dir / paths[0].parent.parent

    def write_back(self, study: str, scan: str, name: str, path: str | Path) -> None:
        """Keep a file with a scan in the trust's archive, as its resource DERIVED; it never leaves the trust.

        ``name`` ends in ``.nii.gz``, ``.json`` or ``.csv``; an image has the voxels of the scan's own, in their place.
        """
        file = os.open(path, os.O_RDONLY)
        try:
            asked = {"errand": "write_back", "study": study, "scan": scan, "name": name}
            self._federation.errand(asked, file)
        finally:
            os.close(file)
