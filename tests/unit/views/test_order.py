"""What a view may not depend on: how topics interleave, how often the newest was said, how rows are stored."""

import json
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.message import Message
from schemas.registry import REGISTRY
from schemas.views import VIEWS, AnyView, View
from tests.unit.views.pools import EVENTS

GOLDEN = Path(__file__).parents[2] / "contract" / "golden"
every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)


def told_by(view: AnyView) -> list[list[Message]]:
    """The events that a view is made of, topic by topic."""
    concerned = [event for event in EVENTS if isinstance(event, view.events)]
    return [[event for event in concerned if event.topic == topic] for topic in view.topics]


def said_on(view: AnyView) -> st.SearchStrategy[list[list[Message]]]:
    """Anything may follow anything on each topic: a fold must hold whatever a service says."""
    return st.tuples(*(st.lists(st.sampled_from(events), max_size=12) for events in told_by(view))).map(list)


@st.composite
def interleaved(draw: st.DrawFn, topics: Sequence[Sequence[Message]]) -> list[Message]:
    turns = draw(st.permutations([number for number, said in enumerate(topics) for _ in said]))
    waiting = [iter(said) for said in topics]
    return [next(waiting[number]) for number in turns]


def canonical(rows: dict[str, View]) -> dict[str, str]:
    return {id_: json.dumps(row.model_dump(mode="json"), sort_keys=True) for id_, row in rows.items()}


def stored_and_read(view: AnyView, rows: dict[str, View]) -> dict[str, View]:
    """As jsonb keeps them: keys of maps in an order of its own."""
    return {id_: view.row.model_validate_json(text) for id_, text in canonical(rows).items()}


@every_view
@given(data=st.data())
def test_a_row_is_the_same_however_its_topics_interleave(view: AnyView, data: st.DataObject) -> None:
    topics = data.draw(said_on(view))
    one, other = data.draw(interleaved(topics)), data.draw(interleaved(topics))
    assert canonical(view.folded(one)) == canonical(view.folded(other))


@every_view
@given(data=st.data())
def test_what_the_relay_says_twice_changes_nothing(view: AnyView, data: st.DataObject) -> None:
    said = data.draw(interleaved(data.draw(said_on(view))))
    again = data.draw(st.integers(0, len(said)))
    assert canonical(view.folded([*said, *said[again:]])) == canonical(view.folded(said))


@every_view
@given(data=st.data())
def test_a_row_goes_on_from_storage_as_from_memory(view: AnyView, data: st.DataObject) -> None:
    said = data.draw(interleaved(data.draw(said_on(view))))
    cut = data.draw(st.integers(0, len(said)))
    halfway = stored_and_read(view, view.folded(said[:cut]))
    assert halfway == view.folded(said[:cut])
    assert canonical(view.folded(said[cut:], halfway)) == canonical(view.folded(said))


@every_view
def test_a_view_names_every_event_that_it_folds(view: AnyView) -> None:
    """What is not named is never decoded for it."""
    rows = view.folded(event for events in told_by(view) for event in events)
    row = next(iter(rows.values()))
    others = [message for message in _golden() if not isinstance(message, view.events)]
    assert len(others) > 20
    assert [message.type for message in others if view.fold(row, message) != row] == []


@every_view
def test_every_event_that_a_view_names_can_change_it(view: AnyView) -> None:
    drawn = {type(event) for event in EVENTS}
    for kind in set(view.events) & drawn:
        told = [event for event in EVENTS if isinstance(event, view.events)]
        without = reduce(view.fold, [event for event in told if not isinstance(event, kind)], None)
        assert any(view.fold(without, event) != without for event in told if isinstance(event, kind)), kind.type


def _golden() -> list[Message]:
    samples = {file.stem: json.loads(file.read_text())["full"] for file in sorted(GOLDEN.glob("*.json"))}
    return [REGISTRY[type_].model_validate(full) for type_, full in samples.items() if type_ in REGISTRY]
