"""Values that stand where a value must be and say nothing (action D of PS3.15 E.3.1)."""

from pydicom.valuerep import VR

from trust_node.imaging.deid.dates import UNREADABLE

TEXT_VRS = frozenset({VR.AE, VR.LO, VR.LT, VR.PN, VR.SH, VR.ST, VR.UC, VR.UR, VR.UT})
TEXT = "ANONYMIZED"

_DUMMIES: dict[str, object] = {
    VR.AS: "000Y",
    VR.CS: TEXT,
    VR.DS: "0",
    VR.IS: "0",
    **{VR(vr): text for vr, text in UNREADABLE.items()},
    VR.UR: "https://anonymized.invalid",
    VR.OB: b"\0\0",
    VR.OD: b"\0" * 8,
    VR.OF: b"\0" * 4,
    VR.OL: b"\0" * 4,
    VR.OV: b"\0" * 8,
    VR.OW: b"\0\0",
    VR.FL: 0.0,
    VR.FD: 0.0,
    VR.AT: 0,
}
_NUMBERS = frozenset({VR.SL, VR.SS, VR.SV, VR.UL, VR.US, VR.UV})


def dummy(vr: str) -> object:
    """Return a non-empty value that is valid for `vr` and the same for everybody."""
    return 0 if vr in _NUMBERS else _DUMMIES.get(vr, TEXT)
