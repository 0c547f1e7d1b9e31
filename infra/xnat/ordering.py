"""What an import asks for: where the images shall go, read from the query and, if it is silent, from the images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from infra.xnat import names
from infra.xnat.importing import Order, Overwrite
from infra.xnat.refusal import bad_request, not_served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.xnat.dicom import Instance

_PLACES = {"project": "projects", "subject": "subjects", "session": "experiments"}
_GRADUAL = {"PROJECT_ID": "project", "SUBJECT_ID": "subject", "EXPT_LABEL": "session"}
_HANDLERS = {"DICOM-zip", "gradual-DICOM"}
_NOT_SERVED = {"SI", "XAR", "inbox", "DICOM-inbox"}
_TOLD = re.compile(r"(Project|Subject|Session):\s*([^\s,;]+)")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the query says; names that it leaves out are empty. `where` is "" when the project's own code decides."""

    where: str
    named: Mapping[str, str]
    overwrite: Overwrite
    is_one_file: bool
    is_lenient: bool = False

    def order(self, first: Instance) -> Order:
        """Fill in what the images say: `Project:X Subject:Y Session:Z` in Patient Comments, then name and ID.

        Raises 400 when they say nothing either.
        """
        told = {"subject": names.clean(first.patient_name), "session": names.clean(first.patient)}
        told |= {key.lower(): value for key, value in _TOLD.findall(first.comments)}
        wanted = {key: self.named[key] or told.get(key, "") for key in _PLACES}
        if missing := [key for key, value in wanted.items() if not value]:
            raise bad_request(f"{', '.join(missing)}: name where the images shall go")
        for key in ("subject", "session"):
            names.label(wanted[key], key)
        return Order(**wanted, overwrite=self.overwrite)


def wish_of(query: Mapping[str, str]) -> Wish:
    """Read `import-handler`, `dest=/archive|/prearchive[/projects/P/...]`, `overwrite` and the plain names."""
    handler = query.get("import-handler", "DICOM-zip")
    if handler in _NOT_SERVED:
        raise not_served(f"import-handler: {handler} is not served here, use DICOM-zip or gradual-DICOM")
    where, *path = query.get("dest", "").strip("/").split("/")
    if where not in {"", "archive", "prearchive"} or handler not in _HANDLERS:
        raise bad_request("dest, import-handler: use /archive or /prearchive, and DICOM-zip or gradual-DICOM")
    if query.get("Direct-Archive") == "true":
        where = "archive"
    is_one_file = handler == "gradual-DICOM"
    overwrite = overwrite_of(query, "append" if is_one_file else "none")
    return Wish(where, _named(query, path), overwrite, is_one_file, query.get("Ignore-Unparsable") == "true")


def _named(query: Mapping[str, str], path: list[str]) -> dict[str, str]:
    by_path = dict(zip(path[::2], path[1::2], strict=False))
    gradual = {ours: query.get(theirs, "") for theirs, ours in _GRADUAL.items()}
    return {key: query.get(key) or gradual[key] or by_path.get(place, "") for key, place in _PLACES.items()}


def overwrite_of(query: Mapping[str, str], unless_said: Overwrite = "none") -> Overwrite:
    overwrite = query.get("overwrite", unless_said)
    if overwrite not in get_args(Overwrite):
        raise bad_request("overwrite: use none, append or delete")
    return cast("Overwrite", overwrite)
