"""A small warehouse, dense enough that conditions of every kind hold for some people and not for others."""

import random
from datetime import date, timedelta

from tests.unit.criteria.evaluator import Row, World

PEOPLE = 40
_FIRST_DAY = date(2016, 1, 1)
CONDITIONS, DRUGS, TESTS, PROCEDURES = range(10, 16), range(20, 24), range(30, 33), range(40, 43)
VISITS, MODALITIES, SITES, UNITS, TYPES = (60, 61), (70, 71), (80, 81), (90, 91), (95, 96)
TREE = {10: (11, 12, 13), 11: (13,), 14: (15,), 20: (21, 22), 30: (31,), 80: (81,)}
MAPPED = {100: 10, 101: 13}


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world: World = {}

    def add(self, table: str, **row: object) -> None:
        rows = self.world.setdefault(table, [])
        key = {} if table == "death" else {f"{table}_id": len(rows) + 1}
        rows.append({**key, **row})

    def day(self) -> date:
        return _FIRST_DAY + timedelta(self.random.randrange(500))

    def later(self, start: date, share: float = 0.6) -> date | None:
        return start + timedelta(self.random.choice((0, 1, 5, 40))) if self.random.random() < share else None


def make_world(seed: int = 7) -> World:
    maker = _Maker(seed)
    for table in ("concept", "concept_ancestor", "concept_relationship", "death", "observation"):
        maker.world[table] = []
    for person in range(1, PEOPLE + 1):
        _person(maker, person)
    _vocabulary(maker.world)
    return maker.world


def _person(maker: _Maker, person: int) -> None:
    pick = maker.random.choice
    maker.world.setdefault("person", []).append(
        {
            "person_id": person,
            "gender_concept_id": pick((8507, 8532)),
            "year_of_birth": pick((1940, 1960, 1998, 1999)),
            "race_concept_id": pick((8527, 0)),
        }
    )
    _periods(maker, person)
    visits = [_visit(maker, person) for _ in range(maker.random.randrange(4))]
    for _ in range(maker.random.randrange(7)):
        _events(maker, person, pick((*visits, None)))
    if maker.random.random() < 0.3:
        maker.add("death", person_id=person, cause_concept_id=pick((*CONDITIONS, None)), death_date=maker.day(),
                  death_type_concept_id=95)  # fmt: skip


def _periods(maker: _Maker, person: int) -> None:
    start = _FIRST_DAY
    for length in maker.random.choice(((500,), (200, 200), (120,))):
        end = start + timedelta(length)
        maker.add("observation_period", person_id=person, observation_period_start_date=start,
                  observation_period_end_date=end, period_type_concept_id=95)  # fmt: skip
        start = end + timedelta(20)


def _visit(maker: _Maker, person: int) -> int:
    start = maker.day()
    maker.add("visit_occurrence", person_id=person, visit_concept_id=maker.random.choice(VISITS),
              visit_start_date=start, visit_end_date=maker.later(start, 1.0), visit_type_concept_id=95)  # fmt: skip
    return len(maker.world["visit_occurrence"])


def _events(maker: _Maker, person: int, visit: int | None) -> None:
    pick, start = maker.random.choice, maker.day()
    own: Row = {"person_id": person, "visit_occurrence_id": visit}
    maker.add("condition_occurrence", **own, condition_concept_id=pick(CONDITIONS), condition_start_date=start,
              condition_end_date=maker.later(start), condition_type_concept_id=pick(TYPES))  # fmt: skip
    start = start + timedelta(pick((-30, -3, 0, 7)))
    end = maker.later(start)
    maker.add("drug_exposure", **own, drug_concept_id=pick(DRUGS), drug_exposure_start_date=start,
              drug_exposure_end_date=end, drug_type_concept_id=pick(TYPES),
              days_supply=pick((None, 10, 30)) if end else None, quantity=pick((None, 1, 2.5)))  # fmt: skip
    maker.add("measurement", **own, measurement_concept_id=pick(TESTS), measurement_date=start,
              value_as_number=pick((None, 4.5, 6.5, 8.25)), unit_concept_id=pick((*UNITS, None)),
              measurement_type_concept_id=95, value_as_concept_id=None)  # fmt: skip
    maker.add("procedure_occurrence", **own, procedure_concept_id=pick(PROCEDURES), procedure_date=start,
              procedure_type_concept_id=95)  # fmt: skip
    maker.add("condition_era", person_id=person, condition_concept_id=pick(CONDITIONS),
              condition_era_start_date=start, condition_era_end_date=maker.later(start, 1.0),
              condition_occurrence_count=pick((1, 3)))  # fmt: skip
    maker.add("image_occurrence", **own, modality_concept_id=pick(MODALITIES), anatomic_site_concept_id=pick(SITES),
              image_occurrence_date=start, accession_id=pick((None, f"ACC{person}-{start}")))  # fmt: skip


def _vocabulary(world: World) -> None:
    ids = {*CONDITIONS, *DRUGS, *TESTS, *PROCEDURES, *VISITS, *MODALITIES, *SITES, *UNITS, *TYPES, *MAPPED}
    world["concept"] = [{"concept_id": each, "invalid_reason": None} for each in sorted(ids)]
    pairs = [(above, below) for above, all_below in TREE.items() for below in all_below] + [(one, one) for one in ids]
    world["concept_ancestor"] = [{"ancestor_concept_id": a, "descendant_concept_id": b} for a, b in pairs]
    world["concept_relationship"] = [
        {"concept_id_1": source, "concept_id_2": standard, "relationship_id": "Maps to", "invalid_reason": None}
        for source, standard in MAPPED.items()
    ]
    # Records under a source concept are found only by sets that include what maps to their concepts.
    for at, row in enumerate(world["condition_occurrence"]):
        row["condition_concept_id"] = 100 + at % 2 if at % 11 == 0 else row["condition_concept_id"]
