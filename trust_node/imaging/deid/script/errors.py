"""What can be wrong with a script, and what a script can say of an object. None of it quotes a value of the object."""

from collections.abc import Sequence


class ScriptError(ValueError):
    """A script that can't be used as it stands; `line` and `column` count from 1."""

    def __init__(self, sentence: str, line: int = 1, column: int = 1) -> None:
        super().__init__(sentence, line, column)
        self.sentence, self.line, self.column = sentence, line, column

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.sentence}"


class ScriptErrors(ScriptError):
    """All that is wrong with one script, in the order of its lines; as an error it is the first of them."""

    def __init__(self, errors: Sequence[ScriptError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line, error.column)))
        first = self.errors[0]
        super().__init__(first.sentence, first.line, first.column)

    def __reduce__(self) -> tuple[type["ScriptErrors"], tuple[tuple[ScriptError, ...]]]:
        return (ScriptErrors, (self.errors,))  # crosses from a worker process to the node

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class ScriptRunError(ValueError):
    """A script that can't be carried out on one object; `rule` is the script's name and line."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(rule, sentence)
        self.rule, self.sentence = rule, sentence

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


class RejectedError(ValueError):
    """The script refuses the object (`reject[…]`); `reason` is text of the script, never of the object."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule, reason)
        self.rule, self.reason = rule, reason

    def __str__(self) -> str:
        return f"{self.rule}: rejected" + (f": {self.reason}" if self.reason else "")


class CannotError(ValueError):
    """Why one statement can't be carried out; whoever runs the script adds where."""
