import pytest

from infra.demo.leaks import Canaries

PLANTED = ["Brachodwe^Fli", "2.25.123456", "2.25.9", "19700102", "1970-01-02"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"nothing of a patient", 0),
        (b"study 2.25.123456 of", 1),
        (b"Brachodwe^Fli 2.25.9", 2),
        (b"born 19700102, that is 1970-01-02", 2),
        (b"digest a19700102b is no date", 0),
        (b"2.25.7 is nobody's", 0),
    ],
)
def test_a_planted_string_is_found_wherever_it_stands(content: bytes, found: int) -> None:
    assert Canaries(PLANTED).found_in(content) == found


def test_dates_are_searched_together_and_not_counted() -> None:
    assert len(Canaries(PLANTED)) == 4
