"""How much the archive takes in at most."""

from dataclasses import dataclass

from infra.xnat.refusal import bad_request, too_large

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one body, files in one zip or tar, and how far its files may be larger than itself.

    DICOM deflates to a half or a third; what grows a hundredfold is no study.
    """

    body: int = 64 << 30
    members: int = 100_000
    growth: int = 100
    grown_freely: int = 64 * MIB

    def check_body(self, size: int) -> None:
        if size > self.body:
            raise too_large("body: it is larger than this archive takes")

    def unpacked(self, packed: int) -> "Allowance":
        return Allowance(max(self.grown_freely, packed * self.growth), self.members)


@dataclass(slots=True)
class Allowance:
    """What is left to take out of one zip or tar. Raises 413 and 400 as soon as it is used up."""

    size: int
    members: int

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise bad_request("body: it packs more files than this archive takes at once")

    def take(self, size: int) -> None:
        self.size -= size
        if self.size < 0:
            raise too_large("body: what it packs is too much larger than itself")
