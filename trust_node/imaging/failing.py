"""What goes wrong in the parts of an import, each by its code."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from trust_node.imaging.codes import FailureCode
from trust_node.imaging.content import PinnedError
from trust_node.imaging.conversion import ConversionError
from trust_node.imaging.deid import NoValidProfileError
from trust_node.imaging.pacs import InvalidAccessionError, PacsError
from trust_node.imaging.xnat import XnatRefusedError, XnatUnreachableError

log = logging.getLogger(__name__)


class StudyFailedError(Exception):
    """Ends an import with a stable code; the text is the code."""

    def __init__(self, code: FailureCode) -> None:
        super().__init__(code.value)
        self.code = code


@contextmanager
def coded() -> Iterator[None]:
    """Give what goes wrong in a part its code."""
    try:
        yield
    except InvalidAccessionError as error:
        raise StudyFailedError(FailureCode.INVALID_ACCESSION) from error
    except PacsError as error:
        log.warning("the PACS: %s", error.trouble)
        code = FailureCode.PACS_UNREACHABLE if error.temporary else FailureCode.PACS_REFUSED
        raise StudyFailedError(code) from error
    except NoValidProfileError as error:
        raise StudyFailedError(FailureCode.NO_VALID_PROFILE) from error
    except PinnedError as error:
        raise StudyFailedError(FailureCode.LEGAL_HOLD) from error
    except ConversionError as error:
        raise StudyFailedError(error.code) from error
    except XnatUnreachableError as error:
        raise StudyFailedError(FailureCode.ARCHIVE_UNREACHABLE) from error
    except XnatRefusedError as error:
        raise StudyFailedError(FailureCode.ARCHIVE_REFUSED) from error
