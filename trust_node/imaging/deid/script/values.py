"""Reads values, conditions and tag paths."""

from dataclasses import dataclass

from trust_node.imaging.deid.script.cursor import Cursor, unexpected
from trust_node.imaging.deid.script.errors import ScriptError
from trust_node.imaging.deid.script.lexer import Token
from trust_node.imaging.deid.script.paths import ITEM, TAG, PathError, Step, Wildcard, make_path, make_step
from trust_node.imaging.deid.script.syntax import (
    Call,
    Comparison,
    Condition,
    Items,
    Number,
    Operator,
    Place,
    Target,
    Text,
    Value,
    Variable,
)

OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "~": "~", "!~": "!~"}


@dataclass(slots=True)
class ValueReader(Cursor):
    def condition(self, left: Value) -> Condition:
        if self.next.kind in OPERATORS:
            return Comparison(left, OPERATORS[self.take(*OPERATORS).kind], self.value())
        if isinstance(left, Call):
            return left
        raise unexpected(self.next, "=, !=, ~ or !~, or := to assign")

    def value(self) -> Value:
        token = self.next
        match token.kind:
            case "string":
                return text(self.take("string"))
            case "number":
                return Number(self.take("number").text)
            case "name":
                return self._named()
            case "{":
                return self._list()
            case "tag" | "*" | "+" | ".":
                return self.target()
        raise unexpected(token, "a value: a string, number, variable, tag path, function[…] or {list}")

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
        self.deeper(place)
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


def text(token: Token) -> Text:
    # Only the backslash is undone: every other escape is for the regular expression that the string may be.
    return Text(token.text[1:-1].replace("\\\\", "\\"))
