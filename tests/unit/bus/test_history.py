import pytest
from aiokafka import TopicPartition

from bus.views.history import places


def test_places_are_read_as_an_operator_writes_them() -> None:
    assert places("project.events/0/12, cohort.events/2/7") == {
        TopicPartition("project.events", 0): 12,
        TopicPartition("cohort.events", 2): 7,
    }


@pytest.mark.parametrize("given", ["", "project.events", "project.events/0", "project.events/0/x", "a/0/1,,b/0/1"])
def test_what_names_no_places_is_refused_with_the_form(given: str) -> None:
    with pytest.raises(ValueError, match="write topic/partition/offset"):
        places(given)
