"""How an archive starts: from its index, and from the documents on disk wherever the index may be behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.xnat import disk
from infra.xnat.model import CHILD_KINDS, Node, node_of

if TYPE_CHECKING:
    from pathlib import Path

    from infra.xnat.index import Index
    from infra.xnat.model import Shelf


def open_projects(root: Path, index: Index, shelf: Shelf) -> dict[str, Node]:
    """Return all projects. Reads every document only when there is no sound index."""
    if index.is_fresh:
        projects = disk.load_nodes("projects", root / "projects", None, shelf)
        index.fill(projects.values())
        return projects
    projects = index.load(shelf)
    if not (changed := index.changed()):
        return projects
    for folder in changed:
        _read_again(root, index, projects, folder, shelf)
    index.settle()
    return index.load(shelf)


def _read_again(root: Path, index: Index, projects: dict[str, Node], folder: Path, shelf: Shelf) -> None:
    """Bring the index up to a folder as it is now; the folder holds a node or a resource."""
    index.drop(folder)
    kind, owner = folder.parent.name, folder.parent.parent
    above = node_of(projects, owner.relative_to(root).parts)
    if kind == "resources":
        if above and (folder / disk.RESOURCE).exists():
            index.put_resource(disk.load_resource(folder, shelf))
    elif (folder / disk.NODE).exists() and kind in (CHILD_KINDS[above.kind] if above else ("projects",)):
        index.put_all([disk.load_node(kind, folder, above, shelf)])
