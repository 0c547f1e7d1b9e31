"""Why a series did not become NIfTI."""

from trust_node.imaging.codes import FailureCode


class ConversionError(Exception):
    """A series that did not become NIfTI; `exit_status` is dcm2niix's own, None if it was not run or killed."""

    def __init__(self, code: FailureCode, exit_status: int | None = None) -> None:
        super().__init__(code.value if exit_status is None else f"{code.value}: dcm2niix exits {exit_status}")
        self.code = code
        self.exit_status = exit_status
