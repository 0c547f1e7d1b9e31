from types import SimpleNamespace
from typing import Any

from trust_node.imaging.sockets import keep_answers


def test_an_answer_is_left_to_the_call_that_waits_for_it() -> None:
    answers: list[tuple[int, str]] = [(1, "C-FIND answer")]
    association: Any = SimpleNamespace(dimse=SimpleNamespace(get_msg=lambda block: answers.pop()))
    keep_answers(association)
    assert association.dimse.get_msg(block=False) == (None, None)
    assert association.dimse.get_msg(block=True) == (1, "C-FIND answer")
