"""Whom Trustflow has let into a project, written down in that project of the archive itself.

So what was added is known after any crash or loss of the node's database, and whom somebody else added is left alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from trust_node.imaging.xnat import Xnat, XnatRefusedError

FILE = "resources/TRUSTFLOW/files/members.json"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Logins by user id."""

    xnat: Xnat
    project: str

    async def read(self) -> dict[str, str]:
        try:
            content = await self.xnat.read_file(self._address)
        except XnatRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return {}
            raise
        told: dict[str, str] = json.loads(content)
        return told

    async def write(self, logins: Mapping[str, str]) -> None:
        await self.xnat.put_file(self._address, json.dumps(dict(sorted(logins.items()))).encode())

    @property
    def _address(self) -> str:
        return f"/data/projects/{quote(self.project)}/{FILE}"
