"""White lists: what stays, when everything else goes."""

from trust_node.imaging.deid.whitelist.errors import WhitelistError
from trust_node.imaging.deid.whitelist.listing import Whitelist

__all__ = ["Whitelist", "WhitelistError"]
