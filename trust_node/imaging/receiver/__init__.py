"""The node's own DICOM receiver, thin and fast (docs/adr/0024)."""

from trust_node.imaging.receiver.counters import Count
from trust_node.imaging.receiver.limits import Limits
from trust_node.imaging.receiver.receiver import INSIDE, Receiver

__all__ = ["INSIDE", "Count", "Limits", "Receiver"]
