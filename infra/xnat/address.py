"""Where an address leads: from the text of a path to the nodes it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from infra.xnat.refusal import not_found, not_served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.xnat.model import Kind, Node, Resource

_NODES = ("projects", "subjects", "experiments", "scans")
_SETTINGS = ("accessibility", "prearchive_code", "quarantine_code", "current_arc")
_SHARED = {"subjects", "experiments"}
_BELOW = {
    "": ("projects", "subjects", "experiments"),
    "projects": ("subjects", "experiments", "resources", "files", "users", *_SETTINGS),
    "subjects": ("experiments", "resources", "files"),
    "experiments": ("scans", "assessors", "reconstructions", "resources", "files"),
    "scans": ("resources", "files"),
    "resources": ("files",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One pair of a path: `subjects/S1`; without a name the whole collection is meant."""

    collection: str
    name: str | None = None


def parse(path: str) -> tuple[Step, ...]:
    """Split `[archive/]projects/P/subjects/S/...`; what follows `files` or `users` is one name."""
    parts = path.removeprefix("archive/").rstrip("/").split("/")
    steps: list[Step] = []
    while parts:
        collection, above = parts.pop(0), steps[-1].collection if steps else ""
        if collection == "projects" and above in _SHARED:
            raise not_served("projects: nothing is shared between projects here, import it into the other one")
        if collection not in _BELOW.get(above, ()):
            raise not_found(f"address: {collection!r} is not served below {above or 'data'!r}")
        rest = collection in {"files", "users"}
        name = "/".join(parts) if rest else next(iter(parts), "")
        parts = [] if rest else parts[1:]
        steps.append(Step(collection, name or None))
        if not name and parts:
            raise not_found(f"address: a name is missing after {collection!r}")
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path names: the node above, and what the last step's name stands for, if it exists already."""

    above: Node | None
    last: Step
    found: Node | None = None
    owners: tuple[Node, ...] = ()
    resource_name: str | None = None

    def node(self) -> Node:
        return _existing(self.found, self.last)

    def parent(self) -> Node:
        return _existing(self.above, self.last)

    def resource(self) -> Resource:
        found = (owner.find_resource(self.resource_name or "") for owner in self.owners)
        resource = next(filter(None, found), None)
        if resource is None:
            raise not_found("resource: there is none of that label here")
        return resource

    @property
    def kind(self) -> Kind:
        """The last step's collection, where it is one of nodes."""
        return cast("Kind", self.last.collection)

    def project(self) -> Node | None:
        node = self.found or self.above
        return node.project if node else None


def locate(projects: Mapping[str, Node], steps: tuple[Step, ...]) -> Place:
    """Follow the steps as far as they name nodes. Raises 404 when one above the last is missing."""
    above: Node | None = None
    for index, step in enumerate(steps[:-1]):
        if step.collection == "resources":
            return _beside(above, (above,) if above else (), steps[index:])
        if step.collection == "scans" and above:
            return _beside(above, pick_scans(above, step.name or ""), steps[index + 1 :])
        above = _existing(_look(projects, above, step), step)
    if steps[-1].collection in _NODES:
        return Place(above, steps[-1], _look(projects, above, steps[-1]))
    return _beside(above, (above,) if above else (), steps[-1:])


def _beside(above: Node | None, owners: tuple[Node, ...], steps: tuple[Step, ...]) -> Place:
    resource_name = steps[0].name if steps[0].collection == "resources" else None
    return Place(above, steps[-1], None, owners, resource_name)


def _existing(node: Node | None, step: Step) -> Node:
    if node is None:
        raise not_found(f"{step.collection}: there is none of that name here")
    return node


def _look(projects: Mapping[str, Node], above: Node | None, step: Step) -> Node | None:
    """Find a named node; outside a project subjects and experiments are known by ID only."""
    kind, name = cast("Kind", step.collection), step.name or ""
    if above:
        return above.find(kind, name)
    if kind == "projects":
        return projects.get(name)
    return next((p.children[kind][name] for p in projects.values() if name in p.children[kind]), None)


def pick_scans(experiment: Node, wanted: str) -> tuple[Node, ...]:
    """Return the scans that `ALL`, a list such as `1,2`, or a type stands for."""
    scans = tuple(experiment.children["scans"].values())
    if wanted == "ALL":
        return scans
    listed = wanted.split(",")
    picked = tuple(s for s in scans if s.id in listed) or tuple(s for s in scans if s.fields.get("type") in listed)
    if not picked:
        raise not_found("scans: there is none of that ID or type here")
    return picked
