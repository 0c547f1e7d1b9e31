"""What a plan costs, reckoned from plans as EXPLAIN tells them."""

from typing import Any

import pytest

from trust_node.cohort.warehouse.costing import PER_ROW, cost_of


def node(kind: str, *inputs: dict[str, Any], rows: float, cost: float = 0.0, **told: Any) -> dict[str, Any]:
    """An input is `Outer` unless it says something else, the second `Inner`."""
    related = [{"Parent Relationship": "Inner" if at else "Outer"} | dict(each) for at, each in enumerate(inputs)]
    return {"Node Type": kind, "Plan Rows": rows, "Total Cost": cost, "Plans": related} | told


def scan(rows: float, cost: float = 100.0, **told: Any) -> dict[str, Any]:
    return node("Seq Scan", rows=rows, cost=cost, **told)


def test_a_scan_costs_what_the_planner_says() -> None:
    assert cost_of(scan(5, 123.0)) == 123.0


def test_rows_of_equal_keys_are_as_many_as_those_of_the_larger_side() -> None:
    first = node("Hash Join", scan(1e5), scan(1e6), rows=5e8, cost=1e7)
    both = node("Hash Join", first, scan(1e6), rows=2.5e12, cost=1e11)
    assert cost_of(both) == pytest.approx(300 + 2 * PER_ROW * 1e6)


def test_pairs_without_a_key_cost_each() -> None:
    kept = node("Materialize", scan(1e6), rows=1e6)
    crossed = node("Nested Loop", scan(1e6), kept, rows=1e12, cost=1e10)
    assert cost_of(crossed) > PER_ROW * 1e12


def test_a_subquery_of_each_row_costs_each_time_and_a_hashed_one_once() -> None:
    subquery = scan(1, 50.0, **{"Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 1"})
    of_each = node("Subquery Scan", scan(1e6), subquery, rows=1e3, Filter="(SubPlan 1)")
    hashed = of_each | {"Filter": "(hashed SubPlan 1)"}
    assert cost_of(of_each) == pytest.approx(100 + 1e6 * (50 + PER_ROW))
    assert cost_of(hashed) == pytest.approx(150 + 1e6 * PER_ROW)


def test_a_part_by_with_costs_once_and_is_read_again_by_its_rows() -> None:
    made = node("Hash Join", scan(1e5), scan(1e6), rows=5e8)
    made |= {"Parent Relationship": "InitPlan", "Subplan Name": "CTE treated"}
    read = node("CTE Scan", rows=5e8, cost=1e9, **{"CTE Name": "treated", "Parent Relationship": "Outer"})
    top = node("Aggregate", made, read, rows=200)
    assert cost_of(top) == pytest.approx(200 + 3 * PER_ROW * 1e6)
