"""What a DicomEdit script says, as a tree; each node prints as the script that it stands for."""

from dataclasses import dataclass, field
from typing import Literal

from trust_node.imaging.deid.script.paths import TagPath


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column in the script, from 1."""

    line: int = 1
    column: int = 1


_NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Text:
    """A string in quotes, its doubled backslashes made single."""

    value: str

    def __str__(self) -> str:
        return '"' + self.value.replace("\\", "\\\\") + '"'


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a decimal, as it was written."""

    digits: str

    def __str__(self) -> str:
        return self.digits


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Target:
    """A tag path in the script: the element's value, or the element itself in a function's arguments."""

    path: TagPath
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Items:
    """A list `{a, b}`; lists in lists are one list."""

    values: tuple["Value", ...]

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.values)) + "}"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Value", ...]
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.function}[{', '.join(map(str, self.arguments))}]"


Value = Text | Number | Variable | Target | Items | Call
Operator = Literal["=", "!=", "~", "!~"]
Hint = Literal["hidden", "const", "immutable"]


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Value
    operator: Operator
    right: Value

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


Condition = Comparison | Call


@dataclass(frozen=True, slots=True)
class Assign:
    """`path := value`, or `path ?= value` where only what exists is assigned."""

    target: Target
    value: Value
    only_existing: bool
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.target} {'?=' if self.only_existing else ':='} {self.value}"


@dataclass(frozen=True, slots=True)
class SetVariable:
    name: str
    value: Value
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"{self.name} := {self.value}"


@dataclass(frozen=True, slots=True)
class Delete:
    target: Target
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"- {self.target}"


@dataclass(frozen=True, slots=True)
class Perform:
    """A function called for its effect."""

    call: Call
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return str(self.call)


@dataclass(frozen=True, slots=True)
class Echo:
    """`echo value`: read and left alone, since what it would print may be a patient's."""

    value: Value | None
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return "echo" if self.value is None else f"echo {self.value}"


@dataclass(frozen=True, slots=True)
class RemoveAllPrivateTags:
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return "removeAllPrivateTags"


@dataclass(frozen=True, slots=True)
class Describe:
    """A hint for a form: `describe name "text"`, or `hidden`, `const`, `immutable` in its place."""

    name: str
    hint: Text | Hint
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"describe {self.name} {self.hint}"


@dataclass(frozen=True, slots=True)
class Export:
    name: str
    field_name: Text
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        return f"export {self.name} {self.field_name}"


@dataclass(frozen=True, slots=True)
class Branch:
    condition: Condition
    block: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class If:
    """`if (…) {…} elseif (…) {…} else {…}`, and `condition ? action : action`, which says the same."""

    branches: tuple[Branch, ...]
    otherwise: tuple["Statement", ...] = ()
    place: Place = field(default=_NOWHERE, compare=False)

    def __str__(self) -> str:
        parts = [f"if ({branch.condition}) {_block(branch.block)}" for branch in self.branches]
        return " else".join(parts) + (f" else {_block(self.otherwise)}" if self.otherwise else "")


Statement = Assign | SetVariable | Delete | Perform | Echo | RemoveAllPrivateTags | Describe | Export | If


def printed(version: str, statements: tuple[Statement, ...]) -> str:
    """Return the script that means just this."""
    return "\n".join([f'version "{version}"', *map(str, statements), ""])


def _block(statements: tuple[Statement, ...]) -> str:
    return "{\n" + "".join(f"{statement}\n" for statement in statements) + "}"
