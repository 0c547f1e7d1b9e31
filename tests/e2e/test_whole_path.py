"""The whole path, as the demo plays it. The last module: its search for leaks is of all that the others left, too."""

from contextlib import aclosing
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from client.sdk import Trustflow
from infra.demo.claims import claims
from infra.demo.leaks import Canaries, leaks
from infra.demo.pacs import load_into_pacs
from infra.demo.plan import canaries
from infra.demo.play import Play
from infra.federation import Federation
from schemas.views.imports import StudyView
from tests.integration.eventually import until
from tests.midi.canaries import canaries as planted_values
from tests.midi.canaries import found_below, found_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_whole_path_keeps_every_claim_and_leaves_no_canary_in_the_hub(
    federation: Federation, played: Play, hub: Trustflow
) -> None:
    play = replace(played, hub=hub)
    await play.train()
    planted = Canaries(canaries(list(play.hospitals.studies)))
    assert len(planted) > 100
    found = claims(play.story, play.hospitals, await leaks(federation, planted), len(planted))
    assert [claim for claim in found if not claim.holds] == []


@dataclass(frozen=True)
class Planted:
    """One study of several series, and every value that was planted in it."""

    files: tuple[Path, ...]
    values: frozenset[bytes]

    def found_in(self, content: bytes) -> int:
        return len(found_in(content) & self.values)


def plant(folder: Path, accession: str) -> Planted:
    files: list[Path] = []
    together: dict[str, str] = {}
    for content in planted_values(250).objects:
        image = pydicom.dcmread(BytesIO(content))
        together = together or {keyword: image[keyword].value for keyword in ("StudyInstanceUID", "PatientID")}
        for keyword, value in together.items():
            setattr(image, keyword, value)
        image.AccessionNumber = accession
        files.append(folder / f"{len(files)}.dcm")
        image.save_as(files[-1])
    values = frozenset().union(*(found_in(file.read_bytes()) for file in files))
    return Planted(tuple(files), values)


async def test_of_200_planted_values_none_leaves_the_trust_and_none_is_archived(
    federation: Federation, played: Play, hub: Trustflow, tmp_path: Path
) -> None:
    trust, project = federation.trusts[0], played.story.project_id
    missing = next(study for study in played.hospitals.studies_at(trust) if study.fate == "broken")
    planted = plant(tmp_path, missing.identity.accession)
    assert len(planted.values) > 200
    pacs, archive = federation.orthanc(trust), federation.xnat(trust)

    async def settled(name: str) -> StudyView:
        async with aclosing(hub.watch_import(project)) as views:
            return [view async for view in views][-1].trusts[trust].studies[name]

    async with aclosing(hub.watch_import(project)) as views:
        studies = [view async for view in views][-1].trusts[trust].studies
    name = next(name for name, study in studies.items() if study.code == "not_in_pacs")
    load_into_pacs("127.0.0.1", pacs.dicom_port, pacs.title, planted.files)
    await hub.retry_import(project, trust, name)

    async def arrived() -> bool:
        return (await settled(name)).state == "converted"

    await until(arrived)
    assert await leaks(federation, planted) == {}
    assert found_below(archive.directory) == {}
    logs = {place for place in found_below(federation.run / "logs") if "orthanc" not in Path(place).name}
    assert logs == set()
