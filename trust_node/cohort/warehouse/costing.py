"""What a plan would cost, reckoned anew from the costs of its scans.

Behind a view that hides rows the planner looks at no statistics. It then takes each column for one of 200 values, and
two joins of large tables by their keys seem to make thousands of times the rows that there are. Its costs of scans
hold, and so does that rows with equal keys are about as many as those of the larger side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PER_ROW = 0.01  # the planner's own cpu_tuple_cost
_INPUTS = frozenset({"Outer", "Inner", "Subquery", "Member"})
_KEPT = frozenset({"Materialize", "CTE Scan"})

Node = Mapping[str, Any]


def cost_of(plan: Node) -> float:
    """Return the cost, in the planner's unit, of a plan as EXPLAIN (VERBOSE, FORMAT JSON) tells it."""
    return _Reckoning().of(plan).cost


@dataclass(frozen=True, slots=True)
class _Work:
    """`again`: the cost of every further run."""

    rows: float
    cost: float
    again: float


@dataclass(slots=True)
class _Reckoning:
    """`named`: what the parts by WITH make, by their names."""

    named: dict[str, _Work] = field(default_factory=dict)

    def of(self, node: Node) -> _Work:
        once = sum(self._named(child) for child in _children(node, "InitPlan"))
        inputs = [self.of(child) for child in node.get("Plans", ()) if child["Parent Relationship"] in _INPUTS]
        if node["Node Type"] == "Bitmap Heap Scan" or not (inputs or "CTE Name" in node):
            return _Work(node["Plan Rows"], node["Total Cost"], node["Total Cost"])
        looked_at, cost = self._joined(node, inputs)
        hashed, for_each_row = self._subqueries(node)
        cost += hashed + looked_at * (PER_ROW + for_each_row)
        rows = min(looked_at, node["Plan Rows"])
        return _Work(rows, once + cost, PER_ROW * rows if node["Node Type"] in _KEPT else cost)

    def _joined(self, node: Node, inputs: list[_Work]) -> tuple[float, float]:
        """Return how many rows, or pairs of them, a node looks at, and what its inputs cost."""
        match node["Node Type"], inputs:
            case "Nested Loop", [outer, inner]:
                return outer.rows * inner.rows, outer.cost + inner.cost + outer.rows * inner.again
            case (("Append" | "Merge Append"), _):
                return sum(one.rows for one in inputs), sum(one.cost for one in inputs)
            case _, []:
                made = self.named.get(node["CTE Name"])
                return (made.rows if made else node["Plan Rows"]), 0.0
            case _:
                # Equal keys: each row of the larger side meets few of the smaller.
                return max(one.rows for one in inputs), sum(one.cost for one in inputs)

    def _named(self, child: Node) -> float:
        made = self.of(child)
        self.named[child["Subplan Name"].removeprefix("CTE ")] = made
        return made.cost

    def _subqueries(self, node: Node) -> tuple[float, float]:
        """Return what the subqueries cost that are hashed once, and those that are run for each row."""
        texts = " ".join(str(value) for key, value in node.items() if key != "Plans")
        costs = {True: 0.0, False: 0.0}
        for child in _children(node, "SubPlan"):
            costs[f"hashed {child['Subplan Name']}" in texts] += self.of(child).cost
        return costs[True], costs[False]


def _children(node: Node, relationship: str) -> Iterator[Node]:
    return (child for child in node.get("Plans", ()) if child["Parent Relationship"] == relationship)
