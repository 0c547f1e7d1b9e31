"""A figure says the same of two looks at /metrics as Prometheus says of its samples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.ops.figures import Level, Look, Quantile, Rate, looked, quantile

BEFORE = looked(
    """
# TYPE said_total counter
said_total{topic="a",outcome="good"} 10
said_total{topic="b",outcome="good"} 5
said_total{topic="b",outcome="bad"} 7
# TYPE age gauge
age{topic="a"} 3
age{topic="b"} 9
""",
    at=100.0,
)
NOW = looked(
    """
# TYPE said_total counter
said_total{topic="a",outcome="good"} 30
said_total{topic="b",outcome="good"} 3
said_total{topic="b",outcome="bad"} 7
said_total{topic="c",outcome="bad"} 2
# TYPE age gauge
age{topic="a"} 4
age{topic="b"} 1
""",
    at=110.0,
)


def test_a_rate_is_what_a_counter_grew_by_and_a_process_that_began_anew_counts_from_nothing() -> None:
    assert Rate("said_total").answer(BEFORE, NOW) == {(): pytest.approx((20 + 3 + 0 + 2) / 10)}


def test_a_rate_by_label_counts_only_what_is_asked_for() -> None:
    rate = Rate("said_total", ("topic",), {"outcome": "good"})
    assert rate.answer(BEFORE, NOW) == {("a",): pytest.approx(2.0), ("b",): pytest.approx(0.3)}


def test_a_level_is_the_worst_or_the_sum() -> None:
    assert Level("age").answer(BEFORE, NOW) == {(): 4}
    assert Level("age", fold="sum").answer(BEFORE, NOW) == {(): 5}
    assert Level("age", ("topic",)).answer(BEFORE, NOW) == {("a",): 4, ("b",): 1}


def test_what_nobody_reports_yet_is_0_and_a_quantile_of_nothing_is_no_number() -> None:
    assert Level("unknown").answer(BEFORE, NOW) == {(): 0}
    assert Rate("unknown").answer(BEFORE, NOW) == {(): 0}
    assert math.isnan(Quantile("unknown", 0.9).answer(BEFORE, NOW)[()])


def test_a_quantile_looks_only_at_what_came_since_the_last_look() -> None:
    old, new = (
        Look(at, {"age_bucket": {(("le", bound),): count for bound, count in counts.items()}})
        for at, counts in ((0.0, {"1.0": 50, "2.0": 50, "+Inf": 50}), (1.0, {"1.0": 50, "2.0": 60, "+Inf": 60}))
    )
    assert Quantile("age", 0.5).answer(old, new) == {(): pytest.approx(1.5)}


@given(st.lists(st.floats(0, 99), min_size=1), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_that_holds_it(values: list[float], q: float) -> None:
    bounds = [1.0, 10.0, 100.0, math.inf]
    counts = {bound: float(sum(value <= bound for value in values)) for bound in bounds}
    exact = sorted(values)[max(0, math.ceil(q * len(values)) - 1)]
    bucket = next(index for index, bound in enumerate(bounds) if exact <= bound)
    assert (bounds[bucket - 1] if bucket else 0.0) <= quantile(q, counts) <= bounds[bucket]


def test_the_same_figures_are_asked_of_prometheus() -> None:
    assert Rate("said_total", only={"outcome": "good"}).promql('job="t"') == (
        'sum by (participant) (rate(said_total{job="t", outcome="good"}[1m])) or 0 * max by (participant) (up{job="t"})'
    )
    assert Level("age", ("topic",)).promql('job="t"') == 'max by (participant, topic) (age{job="t"})'
    assert Quantile("age", 0.95).promql('job="t"') == (
        'histogram_quantile(0.95, sum by (participant, le) (rate(age_bucket{job="t"}[1m])))'
    )
