"""How long a command takes from the hub service that says it to the trust's handler."""

from bus.speaker import Bookmark
from schemas.trust_imaging import RetryImport
from tests.bench.stand import Stand

NO_SUCH_STUDY = "A" + "0" * 16


async def command_latencies(stand: Stand, commands: int) -> tuple[float, ...]:
    """Return, for each command, seconds from its being said in the hub to the trust's transaction that handles it."""
    since = await stand.now()
    for number in range(commands):
        trust = stand.federation.trusts[number % len(stand.federation.trusts)]
        await stand.hub.retry_import(stand.project_id, trust, NO_SUCH_STUDY)
    return await _latencies(stand, since)


async def _latencies(stand: Stand, since: Bookmark) -> tuple[float, ...]:
    heard = await stand.heard(since)
    said = {id_: each.envelope for id_, each in heard.items() if isinstance(each.message, RetryImport)}
    handled = await stand.handled_at(list(said))
    return tuple((handled[id_] - envelope.time).total_seconds() for id_, envelope in said.items() if envelope)
