"""Invented identities, planted as canaries: strings so unlikely that finding one outside a trust is a leak."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

SYLLABLES = (
    "bra",
    "cho",
    "dwe",
    "fli",
    "gna",
    "hru",
    "jyx",
    "kle",
    "mov",
    "nze",
    "pla",
    "qua",
    "rus",
    "sko",
    "tri",
    "vyn",
)
FIRST_DAY = date(2016, 1, 4)
DAYS = 3000


@dataclass(frozen=True, slots=True)
class Identity:
    """What a hospital writes into a DICOM header beside the birth date. Names are DICOM PN (PS3.5 6.2)."""

    accession: str
    patient_id: str
    patient_name: str
    referring_physician: str
    address: str
    taken: date

    def strings(self) -> Iterator[str]:
        """Yield every part that a grep for leaks must not find outside."""
        yield from (self.accession, self.patient_id, self.address)
        for name in (self.patient_name, self.referring_physician):
            yield from (name, *name.split("^"))


def invent_identity(key: str, person_id: int) -> Identity:
    return Identity(
        accession=f"ACC{_hex(key, 'accession', 12)}",  # SH, at most 16 characters
        patient_id=f"MRN{_hex(key, 'patient', 10)}P{person_id}",
        patient_name=_name(key, "patient"),
        referring_physician=_name(key, "physician"),
        address=f"{_number(key, 'house') % 97 + 1} {_word(key, 'street', 5)} Lane",
        taken=FIRST_DAY + timedelta(days=_number(key, "taken") % DAYS),
    )


def draw_uid(key: str) -> str:
    """Return a UID under 2.25 made of 128 bits of a digest (PS3.5 B.2)."""
    return f"2.25.{_number(key, 'uid')}"


def _name(key: str, who: str) -> str:
    return f"{_word(key, f'{who} family', 4)}^{_word(key, f'{who} given', 3)}"


def _word(key: str, what: str, syllables: int) -> str:
    return "".join(SYLLABLES[byte % len(SYLLABLES)] for byte in _digest(key, what)[:syllables]).capitalize()


def _hex(key: str, what: str, length: int) -> str:
    return _digest(key, what).hex().upper()[:length]


def _number(key: str, what: str) -> int:
    return int.from_bytes(_digest(key, what)[:16])


def _digest(key: str, what: str) -> bytes:
    return sha256(f"{key}/{what}".encode()).digest()
