"""Conversion by XNAT itself: an event subscription that starts a dcm2niix command for each new scan.

For sites with the event service and the container service; the shape is FLIP's. Elsewhere the node converts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from trust_node.imaging.xnat.client import Xnat
from trust_node.imaging.xnat.errors import XnatRefusedError

NAME = "DICOM-NIfTI Conversion"
EVENT = "org.nrg.xnat.eventservice.events.ScanEvent"
ACTION = "org.nrg.containers.services.CommandActionProvider"
HAS_DICOM = '(@.resources.length() > 0 && "DICOM" in @.resources[*].label)'


class NoConverterError(LookupError):
    """This XNAT cannot convert by itself; the text names what it lacks."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """`image` is the container image of the dcm2niix command, as it is registered at the site."""

    xnat: Xnat
    image: str

    async def switch(self, project: str, *, on: bool) -> None:
        """Let XNAT convert each new scan of the project, or stop that; asked again, nothing changes.

        Raises
        ------
        NoConverterError
            When it shall be on and the site has no event service or no such command.
        """
        if on and not await self._of(project):
            await self._create(project)
        ours = await self._of(project)
        # A request whose answer was lost is sent again, and XNAT may have heard both.
        for double in ours[1:]:
            await self.xnat.wire.send("DELETE", _address(project, double))
        for subscription in ours[:1]:
            if bool(subscription.get("active")) != on:
                deed = "activate" if on else "deactivate"
                await self.xnat.wire.send("POST", f"{_address(project, subscription)}/{deed}")

    async def _of(self, project: str) -> list[Mapping[str, Any]]:
        try:
            every = await self.xnat.wire.document(f"{_events(project)}/subscriptions")
        except XnatRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return []
            raise
        return [each for each in every if _is_ours(each, project)]

    async def _create(self, project: str) -> None:
        command, wrapper = await self._command()
        enabling = f"/xapi/projects/{quote(project)}/commands/{command}/wrappers/{quote(wrapper)}/enabled"
        # Before it is enabled for the project, XNAT refuses the action's key.
        await self.xnat.wire.send("PUT", enabling)
        try:
            await self.xnat.wire.send("POST", f"{_events(project)}/subscription", content=_body(project, command))
        except XnatRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                raise NoConverterError("event service: this XNAT has none, let the node convert") from refused
            raise

    async def _command(self) -> tuple[int, str]:
        try:
            commands = await self.xnat.wire.document("/xapi/commands", {"image": self.image})
        except XnatRefusedError as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                raise NoConverterError("container service: this XNAT has none, let the node convert") from refused
            raise
        for command in commands:
            if command.get("image") == self.image and command.get("xnat"):
                return int(command["id"]), str(command["xnat"][0]["name"])
        raise NoConverterError(f"commands: none has the image {self.image}, register it or let the node convert")


def _is_ours(subscription: Mapping[str, Any], project: str) -> bool:
    # One of the whole site has no project: it is not ours to switch.
    chosen = subscription.get("event-filter") or {}
    return subscription.get("name") == NAME and chosen.get("project-ids") == [project]


def _body(project: str, command: int) -> dict[str, Any]:
    return {
        "name": NAME,
        "event-selector": f"{EVENT}:CREATED",
        "action-key": f"{ACTION}:{command}",
        "attributes": {},
        "active": True,
        "act-as-event-user": False,
        "event-filter": {
            "event-type": EVENT,
            "status": "CREATED",
            "project-ids": [project],
            "payload-filter": HAS_DICOM,
        },
    }


def _address(project: str, subscription: Mapping[str, Any]) -> str:
    return f"{_events(project)}/subscription/{int(subscription['id'])}"


def _events(project: str) -> str:
    return f"/xapi/projects/{quote(project)}/events"
