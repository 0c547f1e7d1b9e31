"""Approved training code on the trust's own disk."""

from pathlib import Path

from schemas.bundle import BadBundle, BundleReport, inspect, unpacked


def unpack(content: bytes, approved_sha256: str, folder: Path) -> BundleReport:
    """Write the bundle that the trust approved into ``folder``, for the sandbox to read.

    Raises
    ------
    BadBundle
        ``not_approved`` when the bytes are not those that were approved, or a reason of `inspect`.
    """
    report = inspect(content)
    if report.sha256 != approved_sha256:
        raise BadBundle("not_approved", "these are not the bytes that the trust approved: ask for approval")
    for name, data in unpacked(content):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return report
