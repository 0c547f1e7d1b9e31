"""What stands in the way of an import, as far as it is not the PACS's: each with its likely cause and its remedy."""

import errno
from enum import StrEnum

from trust_node.imaging.conversion import ConversionError
from trust_node.imaging.pacs.troubles import ADVICE, Advice, PacsError, Trouble
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError


class Fault(StrEnum):
    DISK_FULL = "disk_full"
    NOT_WRITABLE = "not_writable"
    PORT_TAKEN = "port_taken"
    NOT_OUR_ADDRESS = "not_our_address"
    NOT_IN_PACS = "not_in_pacs"
    INCOMPLETE = "incomplete"
    HELD = "held"
    XNAT_UNREACHABLE = "xnat_unreachable"
    XNAT_LOGIN = "xnat_login"
    XNAT_FORBIDDEN = "xnat_forbidden"
    XNAT_REFUSED = "xnat_refused"
    READ_BACK_DIFFERS = "read_back_differs"
    CONVERTER_MISSING = "converter_missing"
    CONVERTER_OLD = "converter_old"
    CONVERSION_FAILED = "conversion_failed"
    NAGLE = "nagle"


FAULTS = {
    Fault.DISK_FULL: Advice("the disk is full", "free space under TRUSTFLOW_DATA_DIRECTORY"),
    Fault.NOT_WRITABLE: Advice(
        "the node's user may not write there", "give TRUSTFLOW_DATA_DIRECTORY to the user that runs the node"
    ),
    Fault.PORT_TAKEN: Advice(
        "the receiver's port is in use: most likely the node is running, and what comes would go to it",
        "stop the node for this check, or correct TRUSTFLOW_RECEIVER_PORT; C-GET and DICOMweb need no port",
    ),
    Fault.NOT_OUR_ADDRESS: Advice(
        "TRUSTFLOW_RECEIVER_HOST is no address of this machine, or the port needs privileges",
        "name an address of this machine and a port above 1023, and have the PACS told",
    ),
    Fault.NOT_IN_PACS: Advice(
        "the PACS holds no study under exactly this accession number",
        "check how the PACS writes it, case and leading zeros included",
    ),
    Fault.INCOMPLETE: Advice(
        "fewer images came than the PACS counts", "look into the PACS's log: which images it could not send, and why"
    ),
    Fault.HELD: Advice("a rule holds this image for a person", "check with another study, of plain CT or MR images"),
    Fault.XNAT_UNREACHABLE: Advice(
        "XNAT does not answer, or with errors of its own", "correct TRUSTFLOW_XNAT_URL; check that XNAT runs"
    ),
    Fault.XNAT_LOGIN: Advice(
        "XNAT refuses the node's password",
        "correct TRUSTFLOW_XNAT_USER and the content of TRUSTFLOW_XNAT_PASSWORD_FILE",
    ),
    Fault.XNAT_FORBIDDEN: Advice(
        "the node's XNAT account may not do this", "let that account create projects, in XNAT's site administration"
    ),
    Fault.XNAT_REFUSED: Advice("XNAT refuses", "look into XNAT's logs at this time; correct TRUSTFLOW_XNAT_URL"),
    Fault.READ_BACK_DIFFERS: Advice(
        "XNAT gives back other bytes than it was given",
        "switch off anonymisation scripts of the site and of new projects: the node has de-identified already",
    ),
    Fault.CONVERTER_MISSING: Advice("dcm2niix is not installed here", "install the pinned requirements again"),
    Fault.CONVERTER_OLD: Advice(
        "this dcm2niix is old: builds of 2021 and before lose slices without a word",
        "install the pinned requirements again",
    ),
    Fault.CONVERSION_FAILED: Advice(
        "the image did not become NIfTI", "check with another study, of plain CT or MR images"
    ),
    Fault.NAGLE: Advice(
        "images come 40 ms apart: the PACS waits for each acknowledgement (Nagle's algorithm)",
        "have TCP_NODELAY switched on in the PACS's network settings: up to twenty times faster",
    ),
}

_BY_ERRNO = {
    errno.ENOSPC: Fault.DISK_FULL,
    errno.EDQUOT: Fault.DISK_FULL,
    errno.EACCES: Fault.NOT_WRITABLE,
    errno.EPERM: Fault.NOT_WRITABLE,
    errno.EROFS: Fault.NOT_WRITABLE,
    errno.ENOENT: Fault.NOT_WRITABLE,
    errno.ENOTDIR: Fault.NOT_WRITABLE,
    errno.EADDRINUSE: Fault.PORT_TAKEN,
    errno.EADDRNOTAVAIL: Fault.NOT_OUR_ADDRESS,
}
_BY_STATUS = {401: Fault.XNAT_LOGIN, 403: Fault.XNAT_FORBIDDEN}


class FaultError(Exception):
    """A step found this; `detail` names no patient."""

    def __init__(self, fault: Fault | Trouble, detail: str = "") -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.detail = detail


def advice(fault: Fault | Trouble) -> Advice:
    return ADVICE[fault] if isinstance(fault, Trouble) else FAULTS[fault]


def fault_of(error: Exception) -> Fault | Trouble | None:
    """Name an error that a step met; None for what the table does not know."""
    match error:
        case FaultError() | PacsError():
            return error.fault if isinstance(error, FaultError) else error.trouble
        case XnatUnreachableError():
            return Fault.XNAT_UNREACHABLE
        case XnatRefusedError():
            return _BY_STATUS.get(error.status, Fault.XNAT_REFUSED)
        case ConversionError():
            return Fault.CONVERSION_FAILED
        case OSError(errno=int(number)):
            return _BY_ERRNO.get(number)
        case _:
            return None
