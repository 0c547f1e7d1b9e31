"""Conversion left to XNAT: what is asked of it, and what of an XNAT that cannot."""

import json
from typing import Any

import pytest
from aiohttp import web

from tests.unit.imaging.xnat.odd import xnat_that
from trust_node.imaging.xnat import XnatRefusedError
from trust_node.imaging.xnat.subscriptions import NAME, NoConverterError, Subscriptions

IMAGE = "xnat/dcm2niix:2.0"
COMMAND = {"id": 7, "image": IMAGE, "xnat": [{"name": "dcm2niix scan"}]}


class Site:
    """An event service and a container service, either of which may be missing."""

    def __init__(self, *, events: int = 200, containers: int = 200) -> None:
        self.events, self.containers = events, containers
        self.commands: list[dict[str, Any]] = [{"id": 3, "image": "xnat/other:1", "xnat": [{"name": "x"}]}, COMMAND]
        self.subscriptions: list[dict[str, Any]] = []
        self.changes: list[str] = []
        self.losing = 0

    async def answers(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if request.method != "GET":
            self.changes.append(f"{request.method} {path}")
        if path.startswith("/xapi/commands"):
            return web.json_response(self.commands, status=self.containers)
        if "/events/" in path and self.events != 200:
            return web.Response(status=self.events)
        if path.endswith("/subscriptions"):
            return web.json_response(self.subscriptions)
        if path.endswith("/subscription"):
            self.subscriptions.append(json.loads(await request.read()) | {"id": 11 + len(self.subscriptions)})
            self.losing -= 1
            return web.Response(status=502 if self.losing >= 0 else 201, text=f"{NAME}:11")
        if request.method == "DELETE":
            self.subscriptions = [each for each in self.subscriptions if each["id"] != int(path.rsplit("/", 1)[-1])]
        if path.endswith("activate"):
            self.subscriptions[-1]["active"] = path.endswith("/activate")
        return web.Response()

    async def switch(self, *, on: bool) -> None:
        async with xnat_that(self.answers) as client:
            await Subscriptions(client, IMAGE).switch("p", on=on)


async def test_a_subscription_is_made_for_the_project_alone_after_the_command_is_allowed_there() -> None:
    site = Site()
    await site.switch(on=True)
    assert site.changes == [
        "PUT /xapi/projects/p/commands/7/wrappers/dcm2niix scan/enabled",
        "POST /xapi/projects/p/events/subscription",
    ]
    (made,) = site.subscriptions
    assert made["event-selector"] == "org.nrg.xnat.eventservice.events.ScanEvent:CREATED"
    assert made["action-key"] == "org.nrg.containers.services.CommandActionProvider:7"
    assert made["event-filter"]["project-ids"] == ["p"]
    assert '"DICOM"' in made["event-filter"]["payload-filter"]


async def test_it_is_switched_and_never_made_twice() -> None:
    site = Site()
    for on in (True, True, False, False, True):
        await site.switch(on=on)
        assert site.subscriptions[-1]["active"] is on
    assert len(site.subscriptions) == 1
    assert [change.rsplit("/", 1)[-1] for change in site.changes] == [
        "enabled", "subscription", "deactivate", "activate",
    ]  # fmt: skip


async def test_one_that_was_made_twice_because_an_answer_was_lost_is_one_again() -> None:
    site = Site()
    site.losing = 2
    await site.switch(on=True)
    assert [(each["id"], each["active"]) for each in site.subscriptions] == [(11, True)]


@pytest.mark.parametrize("chosen", [{}, {"project-ids": []}, {"project-ids": ["other"]}, {"project-ids": ["p", "q"]}])
async def test_what_is_not_the_project_s_own_is_left_as_it_is(chosen: dict[str, list[str]]) -> None:
    site = Site()
    site.subscriptions = [{"id": 1, "name": NAME, "active": True, "event-filter": chosen}]
    await site.switch(on=False)
    assert site.changes == []


@pytest.mark.parametrize(("site", "lacks"), [(Site(events=404), "event service"), (Site(containers=404), "container")])
async def test_an_xnat_that_lacks_a_part_says_which(site: Site, lacks: str) -> None:
    with pytest.raises(NoConverterError, match=lacks):
        await site.switch(on=True)
    await site.switch(on=False)


async def test_an_xnat_without_the_command_names_its_image() -> None:
    site = Site()
    site.commands = [{"id": 7, "image": IMAGE, "xnat": []}, {"id": 3, "image": "xnat/other:1", "xnat": [{"name": "x"}]}]
    with pytest.raises(NoConverterError, match=IMAGE):
        await site.switch(on=True)
    assert site.subscriptions == []


async def test_a_refusal_is_no_missing_part() -> None:
    with pytest.raises(XnatRefusedError):
        await Site(events=403).switch(on=True)
