"""What was done to a study: which element, how, by which rule, in how many images; never a value."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.options import declared
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.results import CleanFile, HeldFile
from trust_node.imaging.deid.signing import METHOD


@dataclass(frozen=True, slots=True)
class StudyReport:
    """The reports of a study's files, merged.

    Attributes
    ----------
    plan
        The digest of the plan that they were made by.
    codes
        Codes of PS3.16 CID 7050, De-identification Method.
    files
        Images that were de-identified.
    held
        Images that wait for a person, by reason.
    changes
        In how many images each thing was done.
    """

    plan: str
    codes: tuple[str, ...]
    scripts: Mapping[str, str]
    files: int
    held: Mapping[str, int]
    changes: Mapping[Change, int]

    def to_json(self) -> bytes:
        """Return the report as it is stored beside the study."""
        changes = [{**change._asdict(), "images": count} for change, count in sorted(self.changes.items())]
        facts = {"method": METHOD, "plan": self.plan, "codes": self.codes, "scripts": self.scripts}
        return json.dumps({**facts, "images": self.files, "held": self.held, "changes": changes}, indent=1).encode()


def merged(results: Iterable[CleanFile | HeldFile], plan: DeidPlan) -> StudyReport:
    """Merge the reports of one study's files; slices share theirs, so that this costs little."""
    every = list(results)
    same = Counter(result.changes for result in every if isinstance(result, CleanFile))
    changes = Counter[Change]()
    for report, count in same.items():
        changes.update(dict.fromkeys(report, count))
    held = Counter(result.reason.value for result in every if isinstance(result, HeldFile))
    codes = tuple(code.value for code in declared(plan.profile.options))
    scripts = {script.name: script.digest for script in plan.scripts}
    return StudyReport(plan.digest, codes, scripts, same.total(), dict(held), dict(changes))
