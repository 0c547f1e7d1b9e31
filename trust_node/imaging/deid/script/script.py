"""A script that reads well and can be carried out."""

import hashlib
from dataclasses import dataclass
from typing import Self

from trust_node.imaging.deid.script.checks import check, version_of
from trust_node.imaging.deid.script.errors import ScriptError, ScriptErrors
from trust_node.imaging.deid.script.lexer import LONGEST_SCRIPT
from trust_node.imaging.deid.script.parser import MOST_ERRORS, parse
from trust_node.imaging.deid.script.syntax import Call, Statement, printed
from trust_node.imaging.deid.script.walking import free_variables, statements_of, values_of


@dataclass(frozen=True, slots=True)
class Script:
    """A DicomEdit 6 script; `name` is how reports call it, `digest` the SHA-256 of its text."""

    name: str
    version: str
    statements: tuple[Statement, ...]
    digest: str

    @classmethod
    def parse(cls, text: str, name: str = "script") -> Self:
        """Read a script.

        Raises
        ------
        ScriptErrors
            With all that is wrong with it, line by line.
        """
        if len(text) > LONGEST_SCRIPT:
            raise ScriptErrors([ScriptError(f"a script has at most {LONGEST_SCRIPT} characters")])
        parsed = parse(text.removeprefix("\ufeff"))
        errors, statements, version = list(parsed.errors), tuple(parsed.statements), ""
        try:
            version = version_of(parsed)
        except ScriptError as error:
            errors.append(error)
        errors += check(statements, version or "6.6")
        if errors:
            raise ScriptErrors(errors[:MOST_ERRORS])
        return cls(name, version, statements, hashlib.sha256(text.encode()).hexdigest())

    @property
    def alters_pixels(self) -> bool:
        """True if some statement may blank pixels: then the pixels must be there when it runs."""
        every = (value for one in statements_of(self.statements) for value in values_of(one))
        return any(isinstance(value, Call) and value.function == "alterPixels" for value in every)

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the script is to be given."""
        return free_variables(self.statements)

    def __str__(self) -> str:
        return printed(self.version, self.statements)
