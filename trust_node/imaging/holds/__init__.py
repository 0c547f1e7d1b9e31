"""Images that wait for a person of the trust, and what was decided."""

from trust_node.imaging.holds.deciding import NothingWaitsError, decide
from trust_node.imaging.holds.store import Hold, Reviewed, Ruling, drop, hold, reviewed, waiting

__all__ = ["Hold", "NothingWaitsError", "Reviewed", "Ruling", "decide", "drop", "hold", "reviewed", "waiting"]
