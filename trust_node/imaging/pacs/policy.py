"""What the trust's policy says of its PACS: `[pacs]`."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trust_node.imaging.pacs.hits import SeveralStudies
from trust_node.imaging.pacs.pace import Allowance, Courtesy, Pace
from trust_node.imaging.pacs.windows import Window, Windows, machine_zone


def _window(text: str) -> str:
    Window.parse(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("no time zone of this name, write it as Europe/London") from None
    return name


class PacsPolicy(BaseModel):
    """When and how hard the PACS may be asked.

    Attributes
    ----------
    windows
        Hours in which studies may begin, `mon-fri 19:00-06:00`; none is always. A study that has begun ends.
    time_zone
        Of the windows; this machine's where it is not given.
    images_per_second
        Over all studies, on average; no limit where it is not given.
    slow_factor
        No study begins while the PACS answers so many times slower than at its best.
    several_studies
        What to take where several studies carry one accession number: ``all``, ``newest`` or ``refuse``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: tuple[Annotated[str, AfterValidator(_window)], ...] = ()
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    images_per_second: float | None = Field(default=None, gt=0)
    slow_factor: float = Field(default=5.0, gt=1)
    several_studies: SeveralStudies = SeveralStudies.REFUSE

    def pace(self) -> Pace:
        """Return a pace that has not been used yet; the node has one for all its studies."""
        zone = ZoneInfo(self.time_zone) if self.time_zone else machine_zone()
        return Pace(Windows.parse(self.windows, zone), Allowance(self.images_per_second), Courtesy(self.slow_factor))
