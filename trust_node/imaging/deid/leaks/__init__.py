"""A second look at the result for anything of the patient: it shares no code and no table with the profile."""

from trust_node.imaging.deid.leaks.checking import Finding, check, check_elements, leaks
from trust_node.imaging.deid.leaks.gathering import identity, names_an_object
from trust_node.imaging.deid.leaks.identity import Identity

__all__ = ["Finding", "Identity", "check", "check_elements", "identity", "leaks", "names_an_object"]
