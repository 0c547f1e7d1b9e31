"""The functions of DicomEdit 6, what each takes, and since when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from trust_node.imaging.deid.script import date_functions, object_functions, text_functions, uid_functions
from trust_node.imaging.deid.script.frame import Frame, Known

# value: one value; number: a whole one; pattern: a regular expression; path: one or more elements; any: as it comes;
# words: text that stands in the script itself.
Kind = Literal["value", "number", "pattern", "path", "any", "words"]


@dataclass(frozen=True, slots=True)
class Function:
    """`kinds` of the arguments, of which the first `fewest` must be there; the last may come again if `repeats`."""

    run: Callable[[Frame, Sequence[Known]], Known]
    kinds: tuple[Kind, ...] = ()
    fewest: int = 0
    repeats: bool = False
    since: str = "6.0"

    def kind(self, position: int) -> Kind:
        return self.kinds[min(position, len(self.kinds) - 1)]

    def takes(self, count: int) -> bool:
        return self.fewest <= count and (self.repeats or count <= len(self.kinds))


FUNCTIONS: dict[str, Function] = {
    "alterPixels": Function(object_functions.alter_pixels, ("words", "words", "words", "words"), 4),
    "blankValues": Function(object_functions.blank_values, ("any",), 1, repeats=True),
    "collectValues": Function(object_functions.collect_values, ("any",), 1, repeats=True),
    "concatenate": Function(text_functions.concatenate, ("value",), repeats=True),
    "default": Function(text_functions.default, ("any",), repeats=True),
    "delete": Function(object_functions.delete, ("path",), 1, repeats=True),
    "false": Function(text_functions.false, ("any",), repeats=True),
    "format": Function(text_functions.format_, ("value",), 1, repeats=True),
    "hashUID": Function(uid_functions.hash_one, ("value", "value"), 1),
    "hashUIDList": Function(uid_functions.hash_list, ("path",), 1, repeats=True),
    "isPresent": Function(object_functions.is_present, ("path",), 1, repeats=True),
    "ismatch": Function(text_functions.is_match, ("value", "pattern"), 2),
    "lookup": Function(text_functions.lookup, ("value", "value"), 2),
    "lowercase": Function(text_functions.lowercase, ("value",), 1),
    "mapReferencedUIDs": Function(uid_functions.map_referenced, ("value", "path"), 2, repeats=True),
    "mapUID": Function(uid_functions.map_one, ("value", "value"), 2),
    "match": Function(text_functions.match, ("value", "pattern", "number"), 3),
    "newUID": Function(uid_functions.new),
    "normalizeString": Function(text_functions.normalize_string, ("value", "value"), 1),
    "reject": Function(object_functions.reject, ("value", "words"), since="6.6"),
    "replace": Function(text_functions.replace, ("value", "value", "value"), 3),
    "retainPrivateTags": Function(object_functions.retain_private, ("path",), 1, repeats=True),
    "scalePatientAgeAndDobFromStudyDate": Function(date_functions.scale_age),
    "set": Function(object_functions.set_value, ("path", "value"), 2),
    "shiftDateByIncrement": Function(date_functions.shift_date, ("value", "number", "value"), 2),
    "shiftDateTimeByIncrement": Function(date_functions.shift_date_time, ("value", "number", "value"), 2),
    "shiftDateTimeListByIncrement": Function(date_functions.shift_list, ("path", "number", "value"), 2),
    "shiftDateTimeSequenceByIncrement": Function(date_functions.shift_sequence, ("number", "path"), 2, repeats=True),
    "substring": Function(text_functions.substring, ("value", "number", "number"), 3),
    "true": Function(text_functions.true, ("any",), repeats=True),
    "uppercase": Function(text_functions.uppercase, ("value",), 1),
    "urlEncode": Function(text_functions.url_encode, ("value",), 1),
}
# A de-identifier that calls out is a leak: the URL itself can carry a value.
REFUSED = {"getURL": "getURL is refused: a script that calls out can carry values away; use lookup with a site table"}
