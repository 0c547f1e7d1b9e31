"""`python -m infra.xnat --root DIR --port N --admin-user admin --admin-password-file FILE`."""

import argparse
import logging
import secrets
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pydicom.config
import uvicorn

from infra.xnat.app import build_app
from infra.xnat.archive import Archive
from infra.xnat.users import Accounts, User, hashed

_GRACE_S = 3


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.xnat", description="An XNAT-compatible archive over plain files.")
    parser.add_argument("--root", type=Path, required=True, help="folder of the archive, made when missing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--admin-user", default="admin")
    parser.add_argument("--admin-password-file", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    given.root.mkdir(parents=True, exist_ok=True)
    password = given.admin_password_file.read_text().strip()
    if not password:
        raise SystemExit("--admin-password-file: the file is empty, write a password into it")
    # A warning would quote the element's value, and the log is no place for it.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").disabled = True
    warnings.simplefilter("ignore")
    administrator = User(given.admin_user, hashed(password, secrets.token_hex(8)), "Site", "Administrator", admin=True)
    archive = Archive(given.root, lambda: datetime.now(UTC))
    accounts = Accounts(given.root, administrator, time.monotonic)
    app = build_app(archive, accounts)
    # Addresses hold labels of subjects and sessions: no access log is kept.
    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_S,
    )


if __name__ == "__main__":
    main()
