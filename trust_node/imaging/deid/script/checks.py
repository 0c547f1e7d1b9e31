"""What is wrong with a script that reads well: functions, arguments, versions, paths that mean too much."""

from collections.abc import Iterator

from trust_node.imaging.deid.script.errors import CannotError, ScriptError
from trust_node.imaging.deid.script.functions import FUNCTIONS, REFUSED, Function, Kind
from trust_node.imaging.deid.script.needed import FIXED, NEEDED
from trust_node.imaging.deid.script.object_functions import corners
from trust_node.imaging.deid.script.parser import Parsed
from trust_node.imaging.deid.script.paths import PathError, TagPath, TagStep, parse_path
from trust_node.imaging.deid.script.regex import PatternError, program
from trust_node.imaging.deid.script.syntax import (
    Assign,
    Call,
    Comparison,
    Condition,
    Delete,
    Echo,
    If,
    Items,
    Number,
    Perform,
    Place,
    SetVariable,
    Statement,
    Target,
    Text,
    Value,
)
from trust_node.imaging.deid.script.walking import statements_of, values_of

VERSIONS = ("6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6")


def version_of(parsed: Parsed) -> str:
    """Return the version that the script declares in its first line.

    Raises
    ------
    ScriptError
        If it declares none: then it is in the old language. Or one that is unknown, or two.
    """
    if not parsed.versions:
        raise ScriptError(
            f"no version: without one a script is in the old DicomEdit 4 language, which is not spoken here; "
            f'rewrite it for DicomEdit 6 and begin it with version "{VERSIONS[-1]}"'
        )
    (version, place), *more = parsed.versions
    if version not in VERSIONS:
        raise _error(f"version {version!a} is unknown; these are known: {', '.join(VERSIONS)}", place)
    if more or not parsed.begins_with_version:
        raise _error("the version stands once, before everything else", more[0][1] if more else place)
    return version


def check(statements: tuple[Statement, ...], version: str) -> Iterator[ScriptError]:
    """Give everything that would go wrong whatever the object."""
    for statement in statements_of(statements):
        yield from _of_statement(statement)
        for value in values_of(statement):
            if isinstance(value, Call):
                yield from _of_call(value, version)


def _of_statement(statement: Statement) -> Iterator[ScriptError]:
    match statement:
        case Assign(target, value, only_existing):
            yield from _assignable(target, only_existing=only_existing)
            yield from _single(value)
        case SetVariable(_, value) | Echo(value) if value is not None:
            yield from _single(value)
        case Delete(target):
            yield from _removable(target.path, target.place)
        case If(branches):
            for branch in branches:
                yield from _of_condition(branch.condition, statement.place)
        case Perform(Call("set", (Target() as target, *_))):
            yield from _assignable(target, only_existing=False)


def _of_condition(condition: Condition, place: Place) -> Iterator[ScriptError]:
    if isinstance(condition, Comparison):
        yield from _single(condition.left)
        yield from _single(condition.right)
        if condition.operator in {"~", "!~"}:
            yield from _pattern(condition.right, place)


def _of_call(call: Call, version: str) -> Iterator[ScriptError]:
    function = FUNCTIONS.get(call.function)
    if call.function in REFUSED:
        yield _error(REFUSED[call.function], call.place)
    elif function is None:
        yield _error(f"there is no function {call.function}; these are known: {', '.join(FUNCTIONS)}", call.place)
    elif not function.takes(len(call.arguments)):
        yield _error(f"{call.function} takes {_arity(function)}, and here are {len(call.arguments)}", call.place)
    else:
        if _numbers(function.since) > _numbers(version):
            yield _error(
                f"{call.function} came with version {function.since}, and this script is {version}", call.place
            )
        for position, argument in enumerate(call.arguments):
            yield from _argument(argument, function.kind(position), call)
        yield from _rectangle(call)


def _argument(argument: Value, kind: Kind, call: Call) -> Iterator[ScriptError]:
    match kind:
        case "value" if not isinstance(argument, Items):
            yield from _single(argument)
        case "number" if isinstance(argument, Text | Number) and not _is_whole(str(argument).strip('"')):
            yield _error(f"{call.function}: {argument} is no whole number", call.place)
        case "pattern":
            yield from _pattern(argument, call.place)
        case "path" if isinstance(argument, Text):
            yield from _path(argument, call)
        case "path" if isinstance(argument, Number):
            yield _error(f"{call.function}: a tag path is needed, and {argument} is a number", call.place)
        case "words" if not isinstance(argument, Text):
            yield _error(
                f'{call.function}: "text" is needed here, so that no value of the object gets there', call.place
            )


def _assignable(target: Target, *, only_existing: bool) -> Iterator[ScriptError]:
    if not only_existing and not target.path.is_exact:
        yield _error(f"{target} does not say which elements to make; use ?= to assign what is there", target.place)
    if target.path.item is not None:
        yield _error(f"{target} is an item, and a value belongs to an element", target.place)
    if _top_level(target.path) in FIXED:
        yield _error(f"{target}: the file needs its value as it is", target.place)


def _removable(path: TagPath, place: Place) -> Iterator[ScriptError]:
    if _top_level(path) in NEEDED:
        yield _error(f"{path}: the file needs it, or it says how the file was de-identified", place)


def _single(value: Value) -> Iterator[ScriptError]:
    if isinstance(value, Target) and (not value.path.is_single or value.path.item is not None):
        yield _error(
            f"{value} can mean several elements, and one value is needed; "
            "name each item, as in (0008,1140)[0]/(0008,1155)",
            value.place,
        )


def _pattern(value: Value, place: Place) -> Iterator[ScriptError]:
    if isinstance(value, Text):
        try:
            program(value.value)
        except PatternError as error:
            yield _error(f"pattern {value}: {error}", place)


def _path(text: Text, call: Call) -> Iterator[ScriptError]:
    try:
        path = parse_path(text.value)
    except PathError as error:
        yield _error(f"{call.function}: {text}: {error}", call.place)
        return
    if call.function == "delete":
        yield from _removable(path, call.place)


def _rectangle(call: Call) -> Iterator[ScriptError]:
    words = [argument.value for argument in call.arguments if isinstance(argument, Text)]
    if call.function == "alterPixels" and len(words) == len(call.arguments):
        try:
            corners(*words[:3])
        except CannotError as error:
            yield _error(str(error), call.place)


def _top_level(path: TagPath) -> int | None:
    step = path.steps[0]
    exact = len(path.steps) == 1 and isinstance(step, TagStep) and step.is_exact and step.creator is None
    return step.tag if exact and isinstance(step, TagStep) else None


def _arity(function: Function) -> str:
    most = "or more" if function.repeats else f"to {len(function.kinds)}"
    fixed = not function.repeats and function.fewest == len(function.kinds)
    return f"{function.fewest} arguments" if fixed else f"{function.fewest} {most} arguments"


def _is_whole(digits: str) -> bool:
    return digits.removeprefix("-").isascii() and digits.removeprefix("-").isdigit()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _error(sentence: str, place: Place) -> ScriptError:
    return ScriptError(sentence, place.line, place.column)
