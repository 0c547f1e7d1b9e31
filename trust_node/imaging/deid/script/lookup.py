"""The site's table for `lookup[type, key]`."""

from trust_node.imaging.deid.script.errors import ScriptError, ScriptErrors


def read_lookup(text: str) -> dict[tuple[str, str], str]:
    """Read lines of `type/key = value`; empty lines and those that begin with // say nothing.

    Raises
    ------
    ScriptErrors
        Naming the lines that are no entry; what they hold is not quoted.
    """
    table: dict[tuple[str, str], str] = {}
    errors = []
    for number, line in enumerate(text.splitlines(), start=1):
        kind, slash, rest = line.strip().partition("/")
        key, equals, value = rest.partition("=")
        if not line.strip() or line.strip().startswith("//"):
            continue
        if not (slash and equals and kind.strip() and key.strip()):
            errors.append(ScriptError("a line of the table reads: type/key = value", number))
        table[kind.strip(), key.strip()] = value.strip()
    if errors:
        raise ScriptErrors(errors)
    return table
