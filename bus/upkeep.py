"""What has to be done now and then, by the process that leads."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bus.leader import Leader

log = logging.getLogger(__name__)

RETRY_EVERY_S = 0.5
SWEEP_EVERY_S = 3600.0
SWEPT_AT_ONCE = 10_000


async def now_and_then(leader: Leader, every_s: float, task: Callable[[], Awaitable[bool]]) -> None:
    """For ever, while leading: do it, at once again while it says that more is left, and else after a while."""
    while True:
        await leader.elected.wait()
        try:
            more = await task()
        except Exception as error:  # noqa: BLE001  upkeep that ended would be missed only when it is too late
            log.warning("upkeep will be tried again: %s", type(error).__name__)
            more = False
        if not more:
            await asyncio.sleep(every_s)


async def sweep_inbox(pool: Any, days: float) -> bool:
    """Forget ids of long ago; true when there may be more."""
    before = datetime.now(UTC) - timedelta(days=days)
    status = await pool.execute(
        """delete from inbox where ctid in
           (select ctid from inbox where received_at < $1 limit $2)""",
        before,
        SWEPT_AT_ONCE,
    )
    return bool(status == f"DELETE {SWEPT_AT_ONCE}")
