"""Originals that are here already: whole studies, kept within a quota, for whichever project asks next."""

from trust_node.imaging.content.manifest import Manifest
from trust_node.imaging.content.pins import LEGAL, REVIEW, Pin
from trust_node.imaging.content.purge import Purged
from trust_node.imaging.content.store import Content, ContentStore, PinnedError

__all__ = ["LEGAL", "REVIEW", "Content", "ContentStore", "Manifest", "Pin", "PinnedError", "Purged"]
