"""What each code of a study means, and what to do about it, for the person at the trust."""

from dataclasses import dataclass

from trust_node.imaging.codes import FailureCode


@dataclass(frozen=True, slots=True)
class Advice:
    """``meaning`` goes on from "because"; ``remedy`` is what to do."""

    meaning: str
    remedy: str


RETRY = "then `trustflow node import retry`"
ADVICE = {
    FailureCode.INVALID_ACCESSION: Advice(
        "its accession number in the warehouse is empty, too long, or holds a wildcard",
        f"correct the warehouse, freeze the cohort anew, {RETRY}",
    ),
    FailureCode.NOT_IN_PACS: Advice(
        "the PACS knows no study with its accession number",
        f"have warehouse and PACS agree on the accession number, {RETRY}; or skip the study",
    ),
    FailureCode.AMBIGUOUS_ACCESSION: Advice(
        "several studies carry its accession number, and the trust's rule takes none of them",
        f"`trustflow node import choose PROJECT --several all` or `newest`, {RETRY}",
    ),
    FailureCode.PACS_UNREACHABLE: Advice(
        "the PACS did not answer, or stopped half-way", f"`trustflow node check` names the cause; {RETRY}"
    ),
    FailureCode.PACS_REFUSED: Advice(
        "the PACS refuses to talk to this node as it is set up", f"`trustflow node check` names the cause; {RETRY}"
    ),
    FailureCode.MOVE_REFUSED: Advice(
        "the PACS refuses to send it: most often it does not know the receiver's AE title, host and port",
        f"have them registered at the PACS, {RETRY}",
    ),
    FailureCode.EMPTY: Advice(
        "the PACS lists the study and counts no image in it", "ask the PACS team; or skip the study"
    ),
    FailureCode.INCOMPLETE: Advice(
        "fewer images came than the PACS counts",
        f"the PACS's own log says which it cannot send; if none came, `trustflow node check`; {RETRY}",
    ),
    FailureCode.MIXED_PATIENTS: Advice(
        "its images are of more than one patient", "have the study corrected in the PACS, then reimport it"
    ),
    FailureCode.ALL_REJECTED: Advice(
        "every image of it was rejected by a person of the trust", "nothing, if that was meant; else reimport it"
    ),
    FailureCode.NO_VALID_PROFILE: Advice(
        "no valid de-identification profile applies to the project: nothing leaves without one",
        f"see `[deid]` in the policy file and what the project asks for, {RETRY}",
    ),
    FailureCode.LEGAL_HOLD: Advice(
        "it is on legal hold and was to be brought in from scratch",
        "`trustflow node content unhold`, then reimport it",
    ),
    FailureCode.ARCHIVE_UNREACHABLE: Advice("XNAT did not answer", f"XNAT's own log and address, {RETRY}"),
    FailureCode.ARCHIVE_REFUSED: Advice(
        "XNAT refused it", f"the rights of the node's XNAT account, XNAT's prearchive, {RETRY}"
    ),
    FailureCode.ARCHIVE_INCOMPLETE: Advice(
        "XNAT took it and holds fewer images than were sent", f"XNAT's own log and disk, {RETRY}"
    ),
    FailureCode.CONVERSION_FAILED: Advice(
        "dcm2niix could not convert a series; the DICOM images are archived", "look at the series, or skip the study"
    ),
    FailureCode.SLICES_LOST: Advice(
        "fewer slices came out of the conversion than went in; the DICOM images are archived",
        "look at the series, or skip the study",
    ),
    FailureCode.SPACING_IRREGULAR: Advice(
        "its slices are not evenly spaced, so a volume would lie; the DICOM images are archived",
        "look at the series, or skip the study",
    ),
    FailureCode.CONVERSION_TIMED_OUT: Advice("the conversion took too long", f"the machine's load, {RETRY}"),
    FailureCode.STEP_TIMED_OUT: Advice(
        "a step took longer than `step_minutes` of the policy", f"`trustflow node check`, the machine's load, {RETRY}"
    ),
    FailureCode.CLEANING_TIMED_OUT: Advice(
        "de-identification took longer than `step_minutes` of the policy: the node started anew",
        f"the machine's load, {RETRY}; if it comes again, skip the study",
    ),
    FailureCode.TIMED_OUT: Advice(
        "it was still on its way after `import_days` of the policy", f"`trustflow node import reconcile`, {RETRY}"
    ),
    FailureCode.INTERNAL_ERROR: Advice(
        "the node stumbled over it again and again: a fault of this software, or its database was away",
        f"the node's log, {RETRY}; if it comes again, skip the study and tell us",
    ),
}

STEPS = {
    "queued": "waited for its turn",
    "moving": "was asked of the PACS",
    "received": "had arrived: {present} of {expected} images",
    "deidentified": "was de-identified",
    "archived": "was in XNAT: {present} of {expected} images",
    "converted": "was converted to NIfTI: {present} slices",
    "held": "came to rest: images of it wait for a person; the others are in XNAT",
    "skipped": "was left out by a person",
}
"""What a step says of a study; counts are filled in."""

HELD = "`trustflow node hold list` shows what waits; release or reject it there"
