"""Why a study failed: stable words of the events' language, none of them tells anything of a patient."""

from enum import StrEnum


class FailureCode(StrEnum):
    INVALID_ACCESSION = "invalid_accession"
    NOT_IN_PACS = "not_in_pacs"
    AMBIGUOUS_ACCESSION = "ambiguous_accession"
    PACS_UNREACHABLE = "pacs_unreachable"
    PACS_REFUSED = "pacs_refused"
    MOVE_REFUSED = "move_refused"
    EMPTY = "empty"
    INCOMPLETE = "incomplete"
    MIXED_PATIENTS = "mixed_patients"
    ALL_REJECTED = "all_rejected"
    NO_VALID_PROFILE = "no_valid_profile"
    LEGAL_HOLD = "legal_hold"
    ARCHIVE_UNREACHABLE = "archive_unreachable"
    ARCHIVE_REFUSED = "archive_refused"
    ARCHIVE_INCOMPLETE = "archive_incomplete"
    CONVERSION_FAILED = "conversion_failed"
    SLICES_LOST = "slices_lost"
    SPACING_IRREGULAR = "spacing_irregular"
    CONVERSION_TIMED_OUT = "conversion_timed_out"
    STEP_TIMED_OUT = "step_timed_out"
    CLEANING_TIMED_OUT = "cleaning_timed_out"
    TIMED_OUT = "timed_out"
    INTERNAL_ERROR = "internal_error"

    @property
    def retryable(self) -> bool:
        """True if the same import may succeed later without anybody changing anything."""
        return self in _RETRYABLE


_RETRYABLE = frozenset(
    {
        FailureCode.PACS_UNREACHABLE,
        FailureCode.INCOMPLETE,
        FailureCode.ARCHIVE_UNREACHABLE,
        FailureCode.ARCHIVE_INCOMPLETE,
        FailureCode.CONVERSION_TIMED_OUT,
        FailureCode.STEP_TIMED_OUT,
        FailureCode.CLEANING_TIMED_OUT,
    }
)
