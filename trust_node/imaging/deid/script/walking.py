"""Goes through a script's tree: every statement, every value, at every depth."""

from collections.abc import Iterable, Iterator

from trust_node.imaging.deid.script.syntax import (
    Assign,
    Call,
    Comparison,
    Condition,
    Delete,
    Describe,
    Echo,
    Export,
    If,
    Items,
    Perform,
    SetVariable,
    Statement,
    Value,
    Variable,
)


def statements_of(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Give the statements and those in their blocks."""
    for statement in statements:
        yield statement
        if isinstance(statement, If):
            for branch in statement.branches:
                yield from statements_of(branch.block)
            yield from statements_of(statement.otherwise)


def values_of(statement: Statement) -> Iterator[Value]:
    """Give the values of one statement and all that they are made of, without those of its blocks."""
    match statement:
        case Assign(target, value):
            yield from (target, *_parts(value))
        case SetVariable(_, value) | Echo(value) if value is not None:
            yield from _parts(value)
        case Delete(target):
            yield target
        case Perform(call):
            yield from _parts(call)
        case If(branches):
            for branch in branches:
                yield from _of_condition(branch.condition)


def free_variables(statements: Iterable[Statement]) -> frozenset[str]:
    """Return the variables that are read, and neither set nor described by the script itself."""
    every = list(statements_of(statements))
    read = {value.name for statement in every for value in values_of(statement) if isinstance(value, Variable)}
    own = {one.name for one in every if isinstance(one, SetVariable | Describe | Export)}
    return frozenset(read - own)


def _of_condition(condition: Condition) -> Iterator[Value]:
    if isinstance(condition, Comparison):
        yield from _parts(condition.left)
        yield from _parts(condition.right)
    else:
        yield from _parts(condition)


def _parts(value: Value) -> Iterator[Value]:
    yield value
    inner = value.arguments if isinstance(value, Call) else value.values if isinstance(value, Items) else ()
    for part in inner:
        yield from _parts(part)
