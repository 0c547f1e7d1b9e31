"""What a trust tells of a project's images, said on to whoever listens to the hub. Pure."""

from schemas.imaging import (
    AccessSet,
    ConversionSwitched,
    EnrichmentReported,
    ImagesPurged,
    ImagingEvent,
    ImportReconciled,
)
from schemas.trust_imaging import ConversionSet, EnrichmentCovered, ImportCompared, MembersSet, ProjectPurged

Told = ImportCompared | ConversionSet | MembersSet | EnrichmentCovered | ProjectPurged

SAID_AS: dict[type[Told], type[ImagingEvent]] = {
    ImportCompared: ImportReconciled,
    ConversionSet: ConversionSwitched,
    MembersSet: AccessSet,
    EnrichmentCovered: EnrichmentReported,
    ProjectPurged: ImagesPurged,
}


def relayed(event: Told) -> ImagingEvent:
    """The same in the language of ``imaging.events``, with the fields that it has there."""
    said = SAID_AS[type(event)]
    return said.model_validate(event.model_dump(include=set(said.model_fields)))
