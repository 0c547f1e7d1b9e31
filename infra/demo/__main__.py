"""`make demo`: play the whole path on real parts and real images, check every claim, stop what was started."""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from client.sdk import Trustflow
from client.settings import federation_settings
from infra import lifecycle
from infra.demo import report
from infra.demo.claims import Claim, claims
from infra.demo.hospital import open_hospitals
from infra.demo.leaks import Canaries, leaks
from infra.demo.plan import canaries
from infra.demo.play import RESEARCHER, Play
from infra.demo.screen import Screen
from infra.federation import ROOT, RUN, Federation
from infra.supervision import Supervisor

BUILD = ROOT / "build"
FOLDER = BUILD / "demo"


def main() -> int:
    console = Console()
    screen, began = Screen(console), time.monotonic()
    started_here = not Supervisor(RUN).is_running()
    try:
        screen.step("start")
        federation = lifecycle.up(int(os.environ.get("TRUSTS", "2")), screen.say, tls=os.environ.get("TLS") == "1")
        found = asyncio.run(play(federation, screen, FOLDER))
    finally:
        if started_here:
            screen.step("stop")
            lifecycle.down(screen.say)
    screen.end_step()
    held = sum(claim.holds for claim in found)
    console.print(f"{held} of {len(found)} claims hold; {time.monotonic() - began:.0f} s; see {FOLDER}")
    return 0 if held == len(found) else 1


async def play(federation: Federation, screen: Screen, folder: Path) -> list[Claim]:
    folder.mkdir(parents=True, exist_ok=True)
    since = datetime.now(UTC)
    screen.step("hospitals")
    hospitals = await open_hospitals(federation, BUILD, screen.say)
    async with Trustflow.connect(federation_settings(ROOT), actor=RESEARCHER) as hub:
        story = await Play(federation, hospitals, hub, screen, folder).whole()
    screen.step("check")
    planted = Canaries(canaries(list(hospitals.studies)))
    found = claims(story, hospitals, await leaks(federation, planted), len(planted))
    events = await report.write_events(federation, folder / "events.jsonl", since)
    screen.end_step()
    report.write(folder, story, found, screen.seconds)
    screen.say(f"{events} events in events.jsonl")
    screen.console.print(report.summary(story), report.checks(found))
    return found


if __name__ == "__main__":
    sys.exit(main())
