"""Records that are wrong in some way: golden samples of every message, and our own, mutated by a seed."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.messages import DELTA_COMMANDS, Probe
from tests.integration.records import Raw

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
TAG = "tag"
"""The last header of each record names it: a dead letter keeps the headers as they were."""

HUGE_BYTES = 950_000
ONE_IN_SO_MANY_IS_HUGE = 2_000
DEEP = 1_000
ODD_TEXTS = ("\\u0000", "\\ud800", "\\u202e", "\U0001f480", "ﷺ" * 50, "' or 1=1 --", "../../etc/passwd", "\\n" * 99)
ODD_VALUES = (None, True, -1, 2**70, 1e308, "", "x" * 5_000, [], {}, [[]], {"": {}}, "NaN", 0.1)

Mutation = Callable[[random.Random, Raw], Raw]


def mutated(seed: int, number: int) -> Iterator[Raw]:
    """``number`` records, each with one mutation or two."""
    chance = random.Random(seed)
    samples = list(_samples())
    for tag in range(number):
        record = replace(chance.choice(samples))
        record = replace(record, headers=[*record.but(id=f"m-{seed}-{tag}".encode())])
        for mutate in chance.sample(MUTATIONS, chance.randint(1, 2)):
            record = mutate(chance, record)
        if tag % ONE_IN_SO_MANY_IS_HUGE == 0:
            record = _huge(record)
        # the client writes no record that has neither key nor value
        yield tagged(record if record.key else replace(record, value=record.value or b""), str(tag))


def tagged(record: Raw, tag: str) -> Raw:
    return replace(record, headers=[*record.headers, (TAG, tag.encode())])


def _samples() -> Iterator[Raw]:
    for file in sorted(GOLDEN.glob("*.json")):
        for payload in json.loads(file.read_text()).values():
            yield _raw(file.stem, payload)
    for _ in range(20):
        yield _raw(Probe.type, {"actor": "ada", "strand": "mutant", "number": 7, "note": "n", "weights": [0.5]})


def _raw(type_: str, payload: Mapping[str, object]) -> Raw:
    key = str(payload.get("strand") or next(iter(payload.values())))
    headers = [
        (f"ce_{name}", text.encode())
        for name, text in {
            "specversion": "1.0",
            "id": "m",
            "type": type_,
            "source": "/client",
            "time": datetime(2026, 11, 21, 9, tzinfo=UTC).isoformat(),
            "subject": key,
            "dataschema": f"urn:{type_.replace('.', ':')}",
            "correlationid": "m",
            "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        }.items()
    ]
    return Raw(DELTA_COMMANDS.name, key.encode(), json.dumps(payload).encode(), headers)


def _flip_bits(chance: random.Random, record: Raw) -> Raw:
    value = bytearray(record.value or b"\0")
    for _ in range(chance.randint(1, 8)):
        value[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
    return replace(record, value=bytes(value))


def _cut_off(chance: random.Random, record: Raw) -> Raw:
    value = record.value or b""
    return replace(record, value=chance.choice([None, b"", value[: chance.randint(0, len(value))]]))


def _drop_a_header(chance: random.Random, record: Raw) -> Raw:
    gone = chance.randrange(len(record.headers))
    return replace(record, headers=[header for at, header in enumerate(record.headers) if at != gone])


def _say_a_header_twice(chance: random.Random, record: Raw) -> Raw:
    name, value = chance.choice(record.headers)
    return replace(record, headers=[*record.headers, (name, chance.choice([value, None, chance.randbytes(9)]))])


def _garble_a_header(chance: random.Random, record: Raw) -> Raw:
    at = chance.randrange(len(record.headers))
    headers = list(record.headers)
    odd = chance.choice(ODD_TEXTS).encode()
    headers[at] = (headers[at][0], chance.choice([None, b"", odd, chance.randbytes(chance.randint(1, 2_000))]))
    return replace(record, headers=headers)


def _add_strange_headers(chance: random.Random, record: Raw) -> Raw:
    strange = [(f"x-{'é' * chance.randint(0, 20)}", chance.randbytes(20)) for _ in range(9)]
    return replace(record, headers=[*strange, *record.headers])


def _change_the_key(chance: random.Random, record: Raw) -> Raw:
    return replace(record, key=chance.choice([None, b"", chance.randbytes(40), b"mutant\0", b"mutan"]))


def _change_a_field(chance: random.Random, record: Raw) -> Raw:
    """Another type, another size, or a name that nobody knows."""
    try:
        payload = json.loads(record.value or b"{}")
    except (ValueError, RecursionError):  # mutated before
        return record
    if not isinstance(payload, dict):
        return record
    field = chance.choice([*payload, "unheard_of"])
    return replace(record, value=json.dumps(payload | {field: chance.choice(ODD_VALUES)}).encode())


def _write_odd_text(chance: random.Random, record: Raw) -> Raw:
    return replace(record, value=(record.value or b"").replace(b'"', b'"' + chance.choice(ODD_TEXTS).encode(), 3))


def _nest_deeply(chance: random.Random, record: Raw) -> Raw:
    bracket = chance.choice([b"[", b'{"strand":'])
    return replace(record, value=bracket * chance.randint(100, DEEP))


def _name_another_type(chance: random.Random, record: Raw) -> Raw:
    type_ = chance.choice([b"trustflow.delta.sing.v1", b"trustflow.delta.probe.v9", b"trustflow", b"."])
    return replace(record, headers=record.but(type=type_))


def _huge(record: Raw) -> Raw:
    return replace(record, value=(record.value or b"{}")[:-1] + b" " * HUGE_BYTES + b"}")


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _cut_off,
    _drop_a_header,
    _say_a_header_twice,
    _garble_a_header,
    _add_strange_headers,
    _change_the_key,
    _change_a_field,
    _write_odd_text,
    _nest_deeply,
    _name_another_type,
)
