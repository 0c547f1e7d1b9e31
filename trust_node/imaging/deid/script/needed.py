"""Elements without which a file is no file, or would not say that it was de-identified: no script takes them away."""

from pydicom.tag import Tag

_IDENTITY = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientIdentityRemoved")
_FIXED = (
    "SOPClassUID",
    "SpecificCharacterSet",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
)
METHOD = int(Tag("DeidentificationMethod"))
# Never assigned.
FIXED = frozenset(int(Tag(keyword)) for keyword in _FIXED)
# Never removed or emptied, and fixed ones never assigned; all at the top level only.
NEEDED = FIXED | {METHOD} | frozenset(int(Tag(keyword)) for keyword in _IDENTITY)
