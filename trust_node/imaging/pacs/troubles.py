"""What can go wrong between us and a PACS: each by its name, with its likely cause and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """Stable words; none of them tells anything of a patient."""

    HOST_UNKNOWN = "host_unknown"
    PORT_CLOSED = "port_closed"
    HOST_SILENT = "host_silent"
    NOT_DICOM = "not_dicom"
    OUR_TITLE_UNKNOWN = "our_title_unknown"
    THEIR_TITLE_WRONG = "their_title_wrong"
    BUSY = "busy"
    ASSOCIATION_REJECTED = "association_rejected"
    SERVICE_REFUSED = "service_refused"
    DESTINATION_UNKNOWN = "destination_unknown"
    NOT_ALLOWED = "not_allowed"
    OUT_OF_RESOURCES = "out_of_resources"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    STALLED = "stalled"
    UNREADABLE = "unreadable"
    WRONG_STUDY = "wrong_study"
    TOO_MUCH = "too_much"
    SPOOL_UNWRITABLE = "spool_unwritable"
    LOGIN_REFUSED = "login_refused"
    CERTIFICATE = "certificate"
    NOT_DICOMWEB = "not_dicomweb"


@dataclass(frozen=True, slots=True)
class Advice:
    """`temporary`: the same may work later without anybody changing anything."""

    cause: str
    remedy: str
    temporary: bool = False


ADVICE = {
    Trouble.HOST_UNKNOWN: Advice(
        "the PACS's host name is known to no name server", "correct TRUSTFLOW_PACS_HOST, or give its address"
    ),
    Trouble.PORT_CLOSED: Advice(
        "nobody listens on that port of the host",
        "correct TRUSTFLOW_PACS_PORT; ask the PACS team whether its DICOM service runs",
        temporary=True,
    ),
    Trouble.HOST_SILENT: Advice(
        "the host does not answer: it is off, or a firewall drops what we send",
        "have the way from this machine to the PACS's host and port opened",
        temporary=True,
    ),
    Trouble.NOT_DICOM: Advice(
        "the port is open, but no DICOM association comes of it: another service, TLS, or a limit by address",
        "correct TRUSTFLOW_PACS_PORT; ask the PACS team whether this machine's address is let in",
        temporary=True,
    ),
    Trouble.OUR_TITLE_UNKNOWN: Advice(
        "the PACS does not know our AE title",
        "have TRUSTFLOW_RECEIVER_TITLE registered at the PACS, with this machine's host and port, case included",
    ),
    Trouble.THEIR_TITLE_WRONG: Advice(
        "the PACS goes by another AE title", "correct TRUSTFLOW_PACS_TITLE, case included"
    ),
    Trouble.BUSY: Advice(
        "the PACS has as many associations as it allows",
        "wait, lower parallel_studies in the policy, or have the limit raised",
        temporary=True,
    ),
    Trouble.ASSOCIATION_REJECTED: Advice(
        "the PACS rejects the association without a reason",
        "have our AE title, host and port registered at the PACS; its log has the reason",
    ),
    Trouble.SERVICE_REFUSED: Advice(
        "the PACS does not offer us this service",
        "have it allowed for our AE title, or choose another way: TRUSTFLOW_PACS_WAY=move, get or web",
    ),
    Trouble.DESTINATION_UNKNOWN: Advice(
        "move destination unknown", "register our AE title, host and port at the PACS, case included"
    ),
    Trouble.NOT_ALLOWED: Advice("the PACS does not allow us this", "have it allowed for our AE title at the PACS"),
    Trouble.OUT_OF_RESOURCES: Advice(
        "the PACS could not send: it is short of something, or cannot reach our receiver",
        "check from the PACS that our receiver's host and port can be reached (echo), then try again",
        temporary=True,
    ),
    Trouble.REFUSED: Advice(
        "the PACS failed at this request; some answer so to a C-MOVE to whom they do not know",
        "look into the PACS's log at this time, and whether our AE title, host and port are registered there",
        temporary=True,
    ),
    Trouble.CUT_OFF: Advice(
        "the PACS ended the connection half-way", "look into the PACS's log at this time", temporary=True
    ),
    Trouble.STALLED: Advice(
        "nothing came for too long",
        "check the PACS's load and that it can reach our receiver; TRUSTFLOW_PACS_STALL_SECONDS is how long we wait",
        temporary=True,
    ),
    Trouble.UNREADABLE: Advice(
        "the PACS answers what the standard does not allow", "report it to the PACS's vendor with the time"
    ),
    Trouble.WRONG_STUDY: Advice(
        "the PACS sent images of a study that was not asked for", "report it to the PACS team: nothing was kept"
    ),
    Trouble.TOO_MUCH: Advice(
        "the PACS answers more than one request can need",
        "check at the PACS what it holds under this; the limits are in trust_node/imaging/pacs/README.md",
    ),
    Trouble.SPOOL_UNWRITABLE: Advice(
        "our own disk is full or not writable", "free space under TRUSTFLOW_DATA_DIRECTORY", temporary=True
    ),
    Trouble.LOGIN_REFUSED: Advice(
        "the DICOMweb server refuses our login", "correct the content of TRUSTFLOW_PACS_WEB_AUTHORIZATION_FILE"
    ),
    Trouble.CERTIFICATE: Advice(
        "the DICOMweb server's certificate is not one we trust",
        "name the hospital's certificate authority in TRUSTFLOW_PACS_WEB_CA_FILE",
    ),
    Trouble.NOT_DICOMWEB: Advice(
        "the address answers, but not as a DICOMweb server does",
        "correct TRUSTFLOW_PACS_WEB_URL: it ends where /studies begins",
    ),
}

# PS3.7 annex C and PS3.4 C.4; by the highest digits where a whole range means one thing
STATUSES = {
    0x0122: Trouble.SERVICE_REFUSED,
    0x0124: Trouble.NOT_ALLOWED,
    0xA701: Trouble.OUT_OF_RESOURCES,
    0xA702: Trouble.OUT_OF_RESOURCES,
    0xA801: Trouble.DESTINATION_UNKNOWN,
}


class PacsError(Exception):
    """The PACS could not be asked, or it gave up half-way; the text holds no value of a patient."""

    def __init__(self, trouble: Trouble, what: str = "") -> None:
        advice = ADVICE[trouble]
        super().__init__(f"{trouble.value}: {advice.cause}{f' ({what})' if what else ''}; {advice.remedy}")
        self.trouble = trouble

    @property
    def temporary(self) -> bool:
        """True if trying again later may help without anybody changing anything."""
        return ADVICE[self.trouble].temporary


def trouble_of(status: int) -> Trouble:
    """Name a DIMSE status that is neither success, pending nor warning."""
    return STATUSES.get(status, Trouble.REFUSED)
