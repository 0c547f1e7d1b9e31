"""Reads DicomEdit 6: tokens to statements, every error with its place."""

from collections.abc import Callable
from dataclasses import dataclass, field

from trust_node.imaging.deid.script.errors import ScriptError
from trust_node.imaging.deid.script.lexer import Token, tokens
from trust_node.imaging.deid.script.syntax import (
    Assign,
    Branch,
    Call,
    Condition,
    Delete,
    Describe,
    Echo,
    Export,
    Hint,
    If,
    Perform,
    Place,
    RemoveAllPrivateTags,
    SetVariable,
    Statement,
    Target,
    Variable,
)
from trust_node.imaging.deid.script.values import OPERATORS, ValueReader, text

MOST_ERRORS = 100
_HINTS: dict[str, Hint] = {"hidden": "hidden", "const": "const", "immutable": "immutable"}


@dataclass(slots=True)
class Parsed:
    """What was read: the versions that the script names, its statements, and all that could not be read."""

    versions: list[tuple[str, Place]] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    errors: list[ScriptError] = field(default_factory=list)
    begins_with_version: bool = False


def parse(script: str) -> Parsed:
    """Read a whole script; after an error reading goes on in the next line, so that all of them are found."""
    parsed = Parsed()
    lexed = list(tokens(script))
    parsed.errors += [token for token in lexed if isinstance(token, ScriptError)]
    broken_lines = frozenset(error.line for error in parsed.errors)
    _Reader([token for token in lexed if isinstance(token, Token)], parsed=parsed, broken_lines=broken_lines).script()
    parsed.errors = parsed.errors[:MOST_ERRORS]
    return parsed


@dataclass(slots=True)
class _Reader(ValueReader):
    parsed: Parsed = field(default_factory=Parsed)
    broken_lines: frozenset[int] = frozenset()

    def script(self) -> None:
        self.lines()
        self.parsed.begins_with_version = self.next.kind == "version"
        while self.next.kind != "end":
            self._line()
            self.lines()

    def _line(self) -> None:
        depth = self.depth
        try:
            if self.next.kind == "version":
                self._version()
            else:
                self.parsed.statements.append(self.statement())
        except ScriptError as error:
            self.depth = depth
            self._note(error)
            self._skip_line()

    def _note(self, error: ScriptError) -> None:
        """Keep an error, unless the line is known to be broken: one mistake is told once."""
        if error.line not in self.broken_lines:
            self.parsed.errors.append(error)

    def _skip_line(self) -> None:
        while self.next.kind not in {"newline", "end"}:
            self.at += 1

    def _version(self) -> None:
        place = self.take("version").place
        self.parsed.versions.append((self.take("string").text[1:-1], place))

    def statement(self) -> Statement:
        token = self.next
        read = self._statements().get(token.kind, self._value_statement)
        return read(token.place)

    def _statements(self) -> dict[str, Callable[[Place], Statement]]:
        return {
            "-": self._delete,
            "if": self._if,
            "echo": self._echo,
            "describe": self._describe,
            "export": self._export,
            "removeAllPrivateTags": self._remove_private,
        }

    def _value_statement(self, place: Place) -> Statement:
        """Read what begins with a value: an assignment, a call, or a condition and what depends on it."""
        value = self.value()
        if isinstance(value, Target) and self.next.kind in {":=", "?="}:
            return Assign(value, only_existing=self.take(":=", "?=").kind == "?=", value=self.value(), place=place)
        if isinstance(value, Variable) and self.takes(":="):
            return SetVariable(value.name, self.value(), place)
        if isinstance(value, Call) and self.next.kind not in {*OPERATORS, "?"}:
            return Perform(value, place)
        return self._choice(self.condition(value), place)

    def _choice(self, condition: Condition, place: Place) -> Statement:
        self.take("?")
        then = (self._action(),)
        return If((Branch(condition, then),), (self._action(),) if self.takes(":") else (), place)

    def _action(self) -> Statement:
        token = self.next
        self.deeper(token.place)
        statement = self.statement()
        self.depth -= 1
        if isinstance(statement, If | Describe | Export | RemoveAllPrivateTags):
            raise ScriptError(
                "only an assignment, a deletion, a function or echo may stand here; use if (…) {…}",
                token.place.line,
                token.place.column,
            )
        return statement

    def _delete(self, place: Place) -> Delete:
        self.take("-")
        return Delete(self.target(), place)

    def _echo(self, place: Place) -> Echo:
        self.take("echo")
        return Echo(None if self.next.kind in {"newline", "end", "}", ":"} else self.value(), place)

    def _remove_private(self, place: Place) -> RemoveAllPrivateTags:
        self.take("removeAllPrivateTags")
        return RemoveAllPrivateTags(place)

    def _describe(self, place: Place) -> Describe:
        self.take("describe")
        name, hint = self.take("name").text, self.take("string", *_HINTS)
        return Describe(name, _HINTS.get(hint.kind) or text(hint), place)

    def _export(self, place: Place) -> Export:
        self.take("export")
        return Export(self.take("name").text, text(self.take("string")), place)

    def _if(self, place: Place) -> If:
        branches = [self._branch("if")]
        while self._after_lines("elseif"):
            branches.append(self._branch("elseif"))
        otherwise: tuple[Statement, ...] = ()
        if self._after_lines("else"):
            self.take("else")
            otherwise = self._block()
        return If(tuple(branches), otherwise, place)

    def _after_lines(self, kind: str) -> bool:
        """Go past empty lines if what comes after them is `kind`."""
        before = self.at
        self.lines()
        if self.next.kind == kind:
            return True
        self.at = before
        return False

    def _branch(self, word: str) -> Branch:
        self.take(word)
        self.take("(")
        condition = self.condition(self.value())
        self.take(")")
        return Branch(condition, self._block())

    def _block(self) -> tuple[Statement, ...]:
        self.lines()
        opened = self.take("{").place
        self.deeper(opened)
        statements = []
        self.lines()
        while not self.takes("}"):
            if self.next.kind == "end":
                raise ScriptError("the block that begins here is never closed; add }", opened.line, opened.column)
            statements.append(self.statement())
            self.lines()
        self.depth -= 1
        return tuple(statements)
