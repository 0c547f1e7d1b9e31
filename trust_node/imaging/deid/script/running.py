"""Carries out scripts on one object, after the profile: they see its output, and nothing of the original."""

from collections.abc import Iterable, Sequence
from itertools import islice

from pydicom import Dataset

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.pixels import Rectangle
from trust_node.imaging.deid.pixels import blank as blank_pixels
from trust_node.imaging.deid.script.budget import Budget
from trust_node.imaging.deid.script.errors import CannotError, ScriptRunError
from trust_node.imaging.deid.script.frame import LONGEST_VALUE, MOST_VALUES, Corners, Frame, Known, Surroundings
from trust_node.imaging.deid.script.functions import FUNCTIONS
from trust_node.imaging.deid.script.object_functions import remove, remove_all_private
from trust_node.imaging.deid.script.script import Script
from trust_node.imaging.deid.script.syntax import (
    Assign,
    Call,
    Condition,
    Delete,
    Describe,
    Echo,
    Export,
    If,
    Items,
    Number,
    Perform,
    RemoveAllPrivateTags,
    SetVariable,
    Statement,
    Target,
    Text,
    Value,
    Variable,
)
from trust_node.imaging.deid.script.text_functions import matches
from trust_node.imaging.deid.script.walking import statements_of


def run(scripts: Sequence[Script], dataset: Dataset, surroundings: Surroundings) -> list[Change]:
    """Carry out `scripts` on `dataset`, in place and one after the other: the site's first, then the project's.

    Each script starts with the variables of the surroundings. Pixels are blanked once, at the end.

    Raises
    ------
    RejectedError
        If a script refuses the object.
    ScriptRunError
        If a statement can't be carried out. The object is then half changed and of no use.
    """
    budget = Budget()
    frames = [_run(script, dataset, surroundings, budget) for script in scripts]
    _blank(dataset, frames)
    _name_instance(dataset)
    return [change for frame in frames for change in frame.changes]


def _run(script: Script, dataset: Dataset, surroundings: Surroundings, budget: Budget) -> Frame:
    described = {one.name: None for one in statements_of(script.statements) if isinstance(one, Describe | Export)}
    frame = Frame(dataset, surroundings, script.name, {**described, **surroundings.variables}, budget)
    try:
        _perform(frame, script.statements)
    except CannotError as error:
        raise ScriptRunError(frame.rule, str(error)) from None
    return frame


def _perform(frame: Frame, statements: Iterable[Statement]) -> None:
    for statement in statements:
        frame.line = statement.place.line
        frame.budget.spend()
        _perform_one(frame, statement)


def _perform_one(frame: Frame, statement: Statement) -> None:
    match statement:
        case Assign(target, value, only_existing):
            frame.assign(target.path, frame.text(_value(frame, value)), only_existing=only_existing)
        case SetVariable(name, value):
            frame.variables[name] = _value(frame, value)
        case Delete(target):
            remove(frame, target.path)
        case Perform(call):
            _call(frame, call)
        case Echo(value) if value is not None:
            _value(frame, value)
        case RemoveAllPrivateTags():
            remove_all_private(frame)
        case If():
            _choose(frame, statement)


def _choose(frame: Frame, choice: If) -> None:
    for branch in choice.branches:
        if _holds(frame, branch.condition):
            _perform(frame, branch.block)
            return
    _perform(frame, choice.otherwise)


def _holds(frame: Frame, condition: Condition) -> bool:
    """Judge a condition; what is absent equals nothing and is matched by nothing."""
    if isinstance(condition, Call):
        return (frame.text(_call(frame, condition)) or "").lower() == "true"
    left, right = (frame.text(_value(frame, side)) for side in (condition.left, condition.right))
    if condition.operator in {"=", "!="}:
        return (left is not None and left == right) == (condition.operator == "=")
    return matches(frame, left, right) == (condition.operator == "~")


def _value(frame: Frame, value: Value) -> Known:
    """Return what a value is where it stands: a tag path is read."""
    return frame.text(value.path) if isinstance(value, Target) else _argument(frame, value)


def _argument(frame: Frame, value: Value) -> Known:
    """Return what a value is in a function's arguments or in a list: a tag path stays one."""
    match value:
        case Text(text) | Number(text):
            return text
        case Target(path):
            return path
        case Variable(name):
            if name not in frame.variables:
                raise CannotError(f"the variable {name} is not set; set it before, or have the site fill it in")
            return frame.variables[name]
        case Items(values):
            return _list(frame, (_argument(frame, part) for part in values))
    return _call(frame, value)


def _list(frame: Frame, values: Iterable[Known]) -> tuple[Known, ...]:
    flat = tuple(islice(frame.opened(values), MOST_VALUES + 1))
    if len(flat) > MOST_VALUES:
        raise CannotError(f"a list has at most {MOST_VALUES} values")
    return flat


def _call(frame: Frame, call: Call) -> Known:
    arguments = [_argument(frame, argument) for argument in call.arguments]
    result = FUNCTIONS[call.function].run(frame, arguments)
    if isinstance(result, str) and len(result) > LONGEST_VALUE:
        raise CannotError(f"{call.function} makes a value of more than {LONGEST_VALUE} characters")
    return result


def _blank(dataset: Dataset, frames: Sequence[Frame]) -> None:
    wanted = [(frame, corners) for frame in frames for corners in frame.corners]
    if wanted and "PixelData" in dataset:
        blank_pixels(dataset, [_rectangle(corners) for _, corners in wanted])  # type: ignore[arg-type]  # a file's
        for frame, _ in wanted:
            frame.changed("(7FE0,0010)", "blank")


def _rectangle(corners: Corners) -> Rectangle:
    left, top, right, bottom = corners
    return Rectangle(left, top, right - left + 1, bottom - top + 1)


def _name_instance(dataset: Dataset) -> None:
    """Say in the file's own header which instance it is, in case a script renamed it (PS3.10 7.1)."""
    meta = getattr(dataset, "file_meta", None)
    if meta is not None and "SOPInstanceUID" in dataset:
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
