"""What must not be found again of a patient, in the patient's own spelling."""

from dataclasses import dataclass

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Identity:
    """The values of one original that would tell whose it was; never shown in a `repr`, a log or an event.

    Attributes
    ----------
    names
        Whole names of the patient and of other persons, as DICOM writes them (`Family^Given`).
    ids
        Numbers and codes given to the patient or the visit.
    births
        Birth dates, YYYYMMDD.
    phrases
        Addresses, telephone numbers, institutions, and what looks like one in free text.
    uids
        UIDs that were minted for this patient's objects.
    """

    names: frozenset[str] = NOBODY
    ids: frozenset[str] = NOBODY
    births: frozenset[str] = NOBODY
    phrases: frozenset[str] = NOBODY
    uids: frozenset[str] = NOBODY

    def __repr__(self) -> str:
        return "Identity(...)"
