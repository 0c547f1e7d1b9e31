"""What becomes of work that the warehouse gave no answer to."""

from bus.errors import Rejection, Transient
from trust_node.cohort.store import WarehouseError, WarehouseFault
from trust_node.cohort.warehouse.faults import AWAY

PASSING = AWAY | {WarehouseFault.TIMEOUT, WarehouseFault.NO_IMAGES}


def unanswered(error: WarehouseError, *, last: bool) -> Transient | Rejection:
    """Return what a lane is to be told: once more for what may pass, unless this was the last attempt."""
    if error.fault in PASSING and not last:
        return Transient(error.fault.value)
    return Rejection(error.fault.value, error.sentence)
