"""What is logged says what, where and about which click, and holds nothing of a patient."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from bus.errors import Rejection
from bus.watch import scope
from bus.watch.logs import Form, write_logs
from schemas.envelope import Envelope

CANARY = "Mustermann^Erika 1961-07-04"
log = logging.getLogger("bus.tested")
CAUSE = Envelope(
    "e1",
    "trustflow.project.created.v1",
    "/project",
    "p1",
    datetime.now(UTC),
    "c1",
    None,
    f"00-{'a' * 32}-{'b' * 16}-01",
)


class Written(io.StringIO):
    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    yield from _logging_to("json")


@pytest.fixture
def terminal() -> Iterator[Written]:
    yield from _logging_to("text")


def _logging_to(form: Form) -> Iterator[Written]:
    root, hooks = logging.getLogger(), (warnings.showwarning, sys.excepthook, threading.excepthook)
    before = root.handlers[:], root.level
    stream = Written()
    write_logs("trust-amber", form, stream)
    try:
        yield stream
    finally:
        root.handlers[:], root.level = before
        warnings.showwarning, sys.excepthook, threading.excepthook = hooks


def failing() -> None:
    try:
        raise asyncpg.UniqueViolationError(f"duplicate key: ({CANARY})")
    except asyncpg.PostgresError as error:
        raise ValueError(f"cannot take {CANARY}") from error


def test_a_line_says_who_what_and_because_of_which_click(written: Written) -> None:
    with scope.within(CAUSE):
        log.warning("put aside %s", "project.events")
    (line,) = written.lines
    assert line["message"] == "put aside project.events"
    assert (line["level"], line["logger"], line["participant"]) == ("WARNING", "bus.tested", "trust-amber")
    assert (line["correlation_id"], line["trace_id"]) == ("c1", "a" * 32)
    assert datetime.fromisoformat(line["time"]).tzinfo is not None


def test_of_an_exception_only_class_and_places_are_written(written: Written) -> None:
    try:
        failing()
    except ValueError:
        log.exception("a handler failed")
    (line,) = written.lines
    assert line["error"] == "ValueError from UniqueViolationError"
    assert line["places"][-1].startswith("unit/bus/test_logs.py:")
    assert line["places"][-1].endswith(" failing")
    assert CANARY not in written.getvalue()


def test_our_own_errors_say_their_code_and_not_their_sentence(written: Written) -> None:
    log.error("refused", exc_info=Rejection("not_now", CANARY))
    assert written.lines[0]["code"] == "not_now"
    assert CANARY not in written.getvalue()


def test_an_exception_among_the_arguments_is_its_class(written: Written) -> None:
    log.error("no connection: %s", ValueError(CANARY))
    assert written.lines[0]["message"] == "no connection: ValueError"


@pytest.mark.parametrize("library", ["pydicom", "pynetdicom.assoc", "asyncio", "py.warnings", "nibabel"])
def test_libraries_that_may_speak_about_data_are_not_quoted(written: Written, library: str) -> None:
    logging.getLogger(library).warning("Invalid value for VR PN: %s", CANARY, extra={"color_message": CANARY})
    assert written.lines[0]["logger"] == library
    assert CANARY not in written.getvalue()


def test_a_warning_says_its_kind_and_place(written: Written) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, UserWarning, stacklevel=1)
    assert written.lines[0]["message"].startswith("UserWarning at unit/bus/test_logs.py:")
    assert CANARY not in written.getvalue()


def test_what_kills_a_thread_or_the_process_is_a_line_too(written: Written) -> None:
    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    try:
        failing()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert [line["error"] for line in written.lines] == ["ValueError from UniqueViolationError"] * 2
    assert CANARY not in written.getvalue()


async def test_a_task_that_died_unseen_is_not_quoted(written: Written) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "never retrieved", "exception": ValueError(CANARY), "future": CANARY})
    assert written.lines[0]["error"] == "ValueError"
    assert CANARY not in written.getvalue()


def test_a_line_is_one_line(written: Written, terminal: Written) -> None:
    del written
    log.info("first\nsecond %s", "third\nfourth")
    assert terminal.getvalue().count("\n") == 1
    assert "INFO bus.tested first second third fourth participant=trust-amber" in terminal.getvalue()
