"""What a trust's secret makes of identities: the same in, the same out, no way back without it."""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field

LONGEST_SHIFT_DAYS = 3650
SHORTEST_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class DeidKeys:
    """The trust's secret and the pseudonyms drawn from it; it never leaves the trust, nor shows in a `repr`.

    Raises
    ------
    ValueError
        If the secret is shorter than 32 bytes: pseudonyms could then be found by trying secrets.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_SECRET_BYTES:
            raise ValueError("secret: at least 32 bytes are needed; make one with `secrets.token_bytes(32)`")

    def uid(self, original: str) -> str:
        """Return the UID that stands for `original` everywhere: `2.25.` and a UUID (PS3.5 annex B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', original)[:16], version=4).int}"

    def shift_days(self, patient_id: str) -> int:
        """Return by how many days, 1 to 3650, all dates of this patient move into the past."""
        return 1 + int.from_bytes(self._digest("dates", patient_id)[:8]) % LONGEST_SHIFT_DAYS

    def subject(self, patient_id: str) -> str:
        """Return the patient's pseudonym: `P` and 16 hexadecimal digits."""
        return "P" + self._digest("subject", patient_id).hex()[:16]

    def study(self, study_uid: str) -> str:
        """Return the study's pseudonym, the only name it has outside its trust: `S` and 16 digits."""
        return "S" + self._digest("study", study_uid).hex()[:16]

    def request(self, accession: str) -> str:
        """Return what names an asked-for study before it is found: `A` and 16 hexadecimal digits."""
        return "A" + self._digest("request", accession).hex()[:16]

    @property
    def fingerprint(self) -> str:
        """Return what tells two secrets apart without telling either."""
        return self._digest("fingerprint", "").hex()[:16]

    def _digest(self, purpose: str, original: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}\0{original}".encode(), hashlib.sha256)
