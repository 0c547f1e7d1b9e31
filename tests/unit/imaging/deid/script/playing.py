"""Plays a script on an object made for one test."""

from collections.abc import Mapping

from pydicom import Dataset

from trust_node.imaging.deid import DeidKeys
from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.script import Script, Surroundings, run

KEYS = DeidKeys(bytes(range(32)))
VERSION = 'version "6.6"\n'


def thing(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def play(
    text: str,
    dataset: Dataset,
    variables: Mapping[str, str] | None = None,
    lookup: Mapping[tuple[str, str], str] | None = None,
) -> list[Change]:
    surroundings = Surroundings(variables or {}, KEYS, lookup or {})
    return run([Script.parse(VERSION + text, "test")], dataset, surroundings)


def value_of(expression: str, dataset: Dataset | None = None, **given: Mapping[str, str]) -> str | None:
    """Return what an expression comes to, by way of Patient Comments; None where it comes to nothing."""
    dataset = Dataset() if dataset is None else dataset
    play(f"(0010,4000) := {expression}", dataset, **given)
    return dataset.PatientComments or None
