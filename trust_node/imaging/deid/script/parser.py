"""Reads DicomEdit 6: tokens to statements, every error with its place."""

from collections.abc import Callable
from dataclasses import dataclass, field

from trust_node.imaging.deid.script.errors import ScriptError
from trust_node.imaging.deid.script.lexer import Token, tokens
from trust_node.imaging.deid.script.paths import ITEM, TAG, PathError, Step, Wildcard, make_path, make_step
from trust_node.imaging.deid.script.syntax import (
    Assign,
    Branch,
    Call,
    Comparison,
    Condition,
    Delete,
    Describe,
    Echo,
    Export,
    If,
    Items,
    Number,
    Operator,
    Perform,
    Place,
    RemoveAllPrivateTags,
    SetVariable,
    Statement,
    Target,
    Text,
    Value,
    Variable,
)

DEEPEST = 32
MOST_ERRORS = 100
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "~": "~", "!~": "!~"}
_HINTS = ("hidden", "const", "immutable")


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
    _Reader([token for token in lexed if isinstance(token, Token)], parsed, _broken_lines(parsed.errors)).script()
    parsed.errors = parsed.errors[:MOST_ERRORS]
    return parsed


def _broken_lines(errors: list[ScriptError]) -> frozenset[int]:
    return frozenset(error.line for error in errors)


@dataclass(slots=True)
class _Reader:
    tokens: list[Token]
    parsed: Parsed
    broken_lines: frozenset[int]
    at: int = 0
    depth: int = 0

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

    # Tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> Token:
        token = self.next
        if token.kind not in kinds:
            raise _unexpected(token, " or ".join(map(_called, kinds)))
        self.at += token.kind != "end"
        return token

    def takes(self, kind: str) -> bool:
        """Take the next token if it is of this kind, and tell whether it was."""
        is_it = self.next.kind == kind
        self.at += is_it
        return is_it

    def lines(self) -> None:
        while self.takes("newline"):
            pass

    # Statements

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
        if isinstance(value, Call) and self.next.kind not in {*_OPERATORS, "?"}:
            return Perform(value, place)
        return self._choice(self.condition(value), place)

    def _choice(self, condition: Condition, place: Place) -> Statement:
        self.take("?")
        then = (self._action(),)
        return If((Branch(condition, then),), (self._action(),) if self.takes(":") else (), place)

    def _action(self) -> Statement:
        token = self.next
        statement = self.statement()
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
        if hint.kind == "hidden" or hint.kind == "const" or hint.kind == "immutable":  # noqa: PLR1714  narrows the type
            return Describe(name, hint.kind, place)
        return Describe(name, _text(hint), place)

    def _export(self, place: Place) -> Export:
        self.take("export")
        return Export(self.take("name").text, _text(self.take("string")), place)

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
        self._deeper(opened)
        statements = []
        self.lines()
        while not self.takes("}"):
            if self.next.kind == "end":
                raise ScriptError("the block that begins here is never closed; add }", opened.line, opened.column)
            statements.append(self.statement())
            self.lines()
        self.depth -= 1
        return tuple(statements)

    # Values

    def condition(self, left: Value) -> Condition:
        if self.next.kind in _OPERATORS:
            return Comparison(left, _OPERATORS[self.take(*_OPERATORS).kind], self.value())
        if isinstance(left, Call):
            return left
        raise _unexpected(self.next, "=, !=, ~ or !~, or := to assign")

    def value(self) -> Value:
        token = self.next
        match token.kind:
            case "string":
                return _text(self.take("string"))
            case "number":
                return Number(self.take("number").text)
            case "name":
                return self._named()
            case "{":
                return self._list()
            case "tag" | "*" | "+" | ".":
                return self.target()
        raise _unexpected(token, "a value: a string, number, variable, tag path, function[…] or {list}")

    def _named(self) -> Value:
        name = self.take("name")
        if not self.takes("["):
            return Variable(name.text, name.place)
        return Call(name.text, tuple(self._values("]", name.place)), name.place)

    def _list(self) -> Items:
        opened = self.take("{").place
        values = self._values("}", opened)
        flat = [part for value in values for part in (value.values if isinstance(value, Items) else (value,))]
        return Items(tuple(flat))

    def _values(self, closing: str, place: Place) -> list[Value]:
        """Read values up to the closing bracket; a list may go over several lines."""
        self._deeper(place)
        over_lines = closing == "}"
        values: list[Value] = []
        while not self._closes(closing, over_lines=over_lines):
            if values:
                self.take(",")
                self._closes("", over_lines=over_lines)
            values.append(self.value())
        self.depth -= 1
        return values

    def _closes(self, closing: str, *, over_lines: bool) -> bool:
        if over_lines:
            self.lines()
        return self.takes(closing)

    def _deeper(self, place: Place) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ScriptError(f"nested deeper than {DEEPEST} levels", place.line, place.column)

    # Tag paths

    def target(self) -> Target:
        place = self.next.place
        try:
            steps = [self._step()]
            while self.takes("/"):
                steps.append(self._step())
            return Target(make_path(steps), place)
        except PathError as error:
            raise ScriptError(str(error), place.line, place.column) from None

    def _step(self) -> Step:
        token = self.take("tag", "*", "+", ".")
        match = TAG.fullmatch(token.text)
        return Wildcard(token.text) if match is None else make_step(match, self._item())

    def _item(self) -> str | None:
        if not self.takes("["):
            return None
        number = self.take("number", "%")
        self.take("]")
        if not ITEM.fullmatch(f"[{number.text}]"):
            raise ScriptError("an item is a whole number from 0, or %", number.place.line, number.place.column)
        return number.text


def _text(token: Token) -> Text:
    # Only the backslash is undone: every other escape is for the regular expression that the string may be.
    return Text(token.text[1:-1].replace("\\\\", "\\"))


def _called(kind: str) -> str:
    words = {"string": 'a "string"', "name": "a name", "tag": "a tag path", "number": "a number", "newline": "a new line"}
    return words.get(kind, kind)


def _unexpected(token: Token, expected: str) -> ScriptError:
    found = {"end": "the script ends", "newline": "the line ends"}.get(token.kind, f"{token.text!a} stands")
    return ScriptError(f"{found} where there should be {expected}", token.place.line, token.place.column)
