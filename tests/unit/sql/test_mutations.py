"""A hundred thousand mutations of the corpora: each gets a verdict, soon, and none makes the judge fail."""

import random
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from schemas.sql.judge import judge
from tests.corpora.reading import good, hostile

MUTATIONS, PROCESSES = 100_000, 2
SLOW_S = 0.1
_WORD = re.compile(r"'[^']*'|\w+|\s+|.", re.DOTALL)
_LONGEST = 3_000


def _mutate(texts: list[str], draw: random.Random) -> str:
    text = draw.choice(texts)
    for _ in range(draw.randint(1, 3)):
        text = draw.choice(_WAYS)(text, texts, draw)[:_LONGEST]
    return text


def _flip(text: str, _: list[str], draw: random.Random) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + chr(draw.choice((draw.randrange(128), draw.randrange(0x11000)))) + text[at + 1 :]


def _swap(text: str, _: list[str], draw: random.Random) -> str:
    words = _WORD.findall(text) or [""]
    one, other = draw.randrange(len(words)), draw.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return "".join(words)


def _drop(text: str, _: list[str], draw: random.Random) -> str:
    words = _WORD.findall(text) or [""]
    del words[draw.randrange(len(words))]
    return "".join(words)


def _borrow(text: str, texts: list[str], draw: random.Random) -> str:
    words, others = _WORD.findall(text) or [""], _WORD.findall(draw.choice(texts)[:_LONGEST]) or [""]
    words[draw.randrange(len(words))] = draw.choice(others)
    return "".join(words)


def _splice(text: str, texts: list[str], draw: random.Random) -> str:
    other = draw.choice(texts)
    return text[: draw.randrange(len(text) + 1)] + other[draw.randrange(len(other) + 1) :]


def _nest(text: str, _: list[str], draw: random.Random) -> str:
    outer = draw.choice(("SELECT person_id FROM ({}) AS x", "WITH x AS ({}) SELECT person_id FROM x", "({})"))
    return outer.format(text.rstrip("; \n"))


_WAYS = (_flip, _swap, _drop, _borrow, _splice, _nest)


def judged_mutations(seed: int) -> tuple[int, list[str]]:
    """Judge this process's share; return how many, and those that took too much of the processor."""
    draw, slow = random.Random(seed), []
    texts = [sample.sql for sample in good() + hostile() if len(sample.sql) <= _LONGEST]
    for _ in range(MUTATIONS // PROCESSES):
        text = _mutate(texts, draw)
        if _seconds(text) > SLOW_S and min(_seconds(text) for _ in range(3)) > SLOW_S:
            slow.append(text)
    return MUTATIONS // PROCESSES, slow


def _seconds(text: str) -> float:
    """The judge's own processor time: without whoever traces each line to measure coverage."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        began = time.process_time()
        judge(text)
        return time.process_time() - began
    finally:
        sys.settrace(tracer)


@pytest.mark.timeout(400)
def test_no_mutation_crashes_the_judge_or_takes_a_tenth_of_a_second() -> None:
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        shares = list(pool.map(judged_mutations, range(1, PROCESSES + 1)))
    assert sum(done for done, _ in shares) == MUTATIONS
    assert [text for _, slow in shares for text in slow] == []


_FILTERED = "count(*) FILTER (WHERE " + "gender_concept_id = 3 OR " * 100 + "true)"
_LONG = {
    "or": "SELECT person_id FROM person WHERE " + "year_of_birth = 1 OR " * 940 + "true",
    "qualified": "SELECT person_id FROM omop.person WHERE " + "omop.person.year_of_birth = 1 OR " * 550 + "true",
    "list": "SELECT person_id FROM person WHERE year_of_birth IN (1" + ",1" * 9_900 + ")",
    "statements": ";" * 19_900,
    "names": "SELECT " + "x." * 9_900 + "x FROM person",
    "counts": "SELECT " + ", ".join([_FILTERED] * 5) + " FROM person",
    "with": "WITH a AS (SELECT person_id FROM person)"
    + "".join(f", a{n} AS (SELECT person_id FROM a)" for n in range(450))
    + "SELECT person_id FROM a",
    "groups": "SELECT count(*) FROM person GROUP BY " + "year_of_birth, " * 1_200 + "1",
    "columns": "SELECT " + "person_id, " * 1_700 + "1 FROM person",
    "minus": "SELECT " + "- " * 2_900 + "1",
    "text": "SELECT person_id FROM person WHERE 'a' = '" + "x" * 19_000 + "'",
    "bytes": "\u00e9" * 9_990,
}


@pytest.mark.parametrize("name", _LONG)
def test_the_longest_texts_take_less_than_a_tenth_of_a_second(name: str) -> None:
    assert min(_seconds(_LONG[name]) for _ in range(5)) < SLOW_S
