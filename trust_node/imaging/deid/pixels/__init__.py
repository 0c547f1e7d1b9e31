"""Text in pixels: what is held for a person, what is blanked, and what the person sees (PS3.15 E.3.1)."""

from trust_node.imaging.deid.pixels.blanking import blank
from trust_node.imaging.deid.pixels.devices import CatalogueError, Device, read, shipped
from trust_node.imaging.deid.pixels.judging import Judgement, PixelRules, judge
from trust_node.imaging.deid.pixels.preview import NoPictureError, preview
from trust_node.imaging.deid.pixels.reasons import Held, HoldReason
from trust_node.imaging.deid.pixels.rectangle import Rectangle
from trust_node.imaging.deid.pixels.rules import RULES, Rule, explain

__all__ = [
    "RULES",
    "CatalogueError",
    "Device",
    "Held",
    "HoldReason",
    "Judgement",
    "NoPictureError",
    "PixelRules",
    "Rectangle",
    "Rule",
    "blank",
    "explain",
    "judge",
    "preview",
    "read",
    "shipped",
]
