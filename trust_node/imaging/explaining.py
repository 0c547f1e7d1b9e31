"""What happened to one study, in plain words: each step with its time and counts, the code, what to do. Pure."""

from collections.abc import Iterator, Sequence

from trust_node.imaging.advice import ADVICE, HELD, STEPS
from trust_node.imaging.codes import FailureCode
from trust_node.imaging.store import Study, Told
from trust_node.imaging.study import Found


def explain(study: Study, told: Sequence[Told], found: Sequence[Found]) -> list[str]:
    """Sentences, one a line; no accession number is in them."""
    return [*_begin(study), *_listed(found), *map(_step, told), *_end(study)]


def _begin(study: Study) -> Iterator[str]:
    yield f"{study.study}: attempt {study.attempt}, last heard of at {study.touched_at:%Y-%m-%d %H:%M:%S}"


def _listed(found: Sequence[Found]) -> Iterator[str]:
    for one in found:
        images = "no count of its images" if one.expected is None else f"{one.expected} images"
        yield f"  the PACS has {one.session}, {images}: {'taken' if one.chosen else 'not taken'}"


def _step(told: Told) -> str:
    moment = f"  {told.at:%Y-%m-%d %H:%M:%S}, attempt {told.attempt}: it "
    if told.code:
        return f"{moment}went no further ({told.code}), {told.present} images were here"
    expected = "?" if told.expected is None else told.expected
    held = f"; {sum(told.held.values())} wait for a person ({_reasons(told.held)})" if told.held else ""
    return moment + STEPS[told.state].format(present=told.present, expected=expected) + held


def _reasons(held: object) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(dict(held).items()))  # type: ignore[call-overload]


def _end(study: Study) -> Iterator[str]:
    if study.code and study.code in list(FailureCode):
        advice = ADVICE[FailureCode(study.code)]
        state = "It has failed" if study.settled else "It will be tried again; last time it went no further"
        yield f"{state}, because {advice.meaning}."
        yield f"What to do: {advice.remedy}."
    elif study.rest == "held":
        yield f"It waits for a person. What to do: {HELD}."
    elif study.rest == "skipped":
        yield "It was left out. What to do: nothing; `trustflow node import reimport` brings it in after all."
    elif study.settled:
        yield "It is where it should be. What to do: nothing."
    else:
        yield f"It is on its way, and will have failed if it still is at {study.deadline_at:%Y-%m-%d %H:%M}."
