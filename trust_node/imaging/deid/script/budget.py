"""How much work a script may ask for on one object: counted, so that every machine refuses the same scripts."""

from dataclasses import dataclass

from trust_node.imaging.deid.script.errors import CannotError

STEPS = 2_000_000  # about two seconds; a real script takes some thousands


@dataclass(slots=True)
class Budget:
    """Steps left; a step is one element looked at, or one state of a pattern at one character."""

    left: int = STEPS

    def spend(self, steps: int = 1) -> None:
        """Take `steps`; raises CannotError when there are no more."""
        self.left -= steps
        if self.left < 0:
            raise CannotError("the script asks for too much work on this object; use fewer wildcards and patterns")
