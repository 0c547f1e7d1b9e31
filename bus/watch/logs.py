"""One line of JSON for each thing said, with what it was said about, and nothing that a patient's record may hold.

The texts of exceptions may repeat data (a failed insert names the row, a DICOM error the element), so of an exception
only its class, the places it passed and a stable code are written. Libraries that speak about data are not quoted.
"""

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from bus.errors import Late, Poison, Rejection
from bus.watch import scope

Form = Literal["json", "text"]

OURS = ("bus", "client", "infra", "schemas", "services", "tests", "trust_node", "__main__")
TRUSTED = (*OURS, "aiokafka", "faststream", "uvicorn")
"""Whose messages hold no data of records; everybody else's are left out, since nobody can know."""

WITHHELD = "a message of this library, withheld: it may speak about data"
MOST_PLACES = 12
ABOUT = ("participant", "correlation_id", "trace_id", "error", "code", "places")
FIELDS = ("time", "level", "logger", "message", *ABOUT)


def write_logs(participant: str, form: Form = "json", stream: TextIO = sys.stderr) -> None:
    """From now on everything that this process logs, warns of or dies of is one line on ``stream``."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line() if form == "text" else Entry())
    handler.addFilter(Discretion(participant))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    warnings.showwarning = _warn  # type: ignore[assignment]  # the rest of its arguments is not looked at
    sys.excepthook = _died
    threading.excepthook = lambda died: _died(died.exc_type, died.exc_value, died.exc_traceback)


class Discretion(logging.Filter):
    """Add what is being worked on, and take away what may hold data; lets every record through."""

    def __init__(self, participant: str) -> None:
        super().__init__()
        self._participant = participant

    def filter(self, record: logging.LogRecord) -> bool:
        record.participant = self._participant
        if working_on := scope.current():
            record.correlation_id = working_on.cause.correlationid
            record.trace_id = working_on.trace_id
        _tell_error(record)
        record.msg, record.args = _message(record), None
        return True


class Entry(JsonFormatter):
    """For whatever collects logs; of what libraries attach to a record nothing is written."""

    def __init__(self) -> None:
        known = ("levelname", "name", "message")
        super().__init__(known, rename_fields={"levelname": "level", "name": "logger"}, timestamp="time")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: log_data[name] for name in FIELDS if log_data.get(name) is not None}


class Line(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        more = " ".join(f"{name}={value}" for name in ABOUT if (value := getattr(record, name, None)))
        time = self.formatTime(record, "%H:%M:%S")
        return _one_line(f"{time} {record.levelname} {record.name} {record.getMessage()} {more}".rstrip())


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, outermost first, of the innermost places; code and no values."""
    frames = list(traceback.walk_tb(trace))[-MOST_PLACES:]
    return [f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in frames]


def _tell_error(record: logging.LogRecord) -> None:
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = record.exc_text = record.stack_info = None
    if error is None:
        return
    record.error = " from ".join(type(one).__name__ for one in _chain(error))
    record.places = places(error.__traceback__)
    if isinstance(error, Rejection | Late | Poison):
        record.code = error.code


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] not in TRUSTED:
        return WITHHELD
    record.args = _without_errors(record.args)
    return _one_line(record.getMessage())


def _without_errors(args: Any) -> Any:
    """Exceptions among the arguments of a message say what they are, and no more."""
    if isinstance(args, Mapping):
        return {name: _class_of(value) for name, value in args.items()}
    return tuple(_class_of(value) for value in args or ())


def _class_of(value: Any) -> Any:
    return type(value).__name__ if isinstance(value, BaseException) else value


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))


def _short(path: str) -> str:
    """The last three parts name the file well enough, and no folder of the hospital."""
    return "/".join(path.rsplit("/", 3)[-3:])


def _warn(_message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
    logging.getLogger(__name__).warning("%s at %s:%s", category.__name__, _short(filename), lineno)


def _died(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(__name__).critical("this process or one of its threads died", exc_info=(kind, error, trace))  # type: ignore[arg-type]  # a thread may die of nothing
