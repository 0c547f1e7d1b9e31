"""The shapes in which XNAT answers: ResultSet tables (JSON or CSV) and items documents. Pure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from infra.xnat.model import Node, Resource, StoredFile, uri

if TYPE_CHECKING:
    from infra.xnat.selecting import Row

_XSI_TYPES = {"projects": "xnat:projectData", "subjects": "xnat:subjectData"}


def row_of(node: Node) -> Row:
    """Return every field of a node as one flat row."""
    fixed = {"ID": node.id, "URI": uri(node), "project": node.project.id, "xsiType": xsi_type(node)}
    if node.kind == "scans":
        fixed |= {"xnat_imagescandata_id": f"{node.parent.id if node.parent else ''}-{node.id}"}
    subject = node.subject() if node.kind == "experiments" else None
    if subject:
        fixed |= {"subject_label": subject.label, "xnat:subjectassessordata/id": node.id}
    return node.fields | fixed


def xsi_type(node: Node) -> str:
    return _XSI_TYPES.get(node.kind) or node.fields["xsiType"]


def resource_row(resource: Resource) -> Row:
    """Return a resource's row: numbers as strings, and no ID and URI, as XNAT has it."""
    counted = {"file_count": str(resource.file_count), "file_size": str(resource.file_size)}
    said = {"format": resource.notes.format, "content": resource.notes.content, "tags": resource.notes.tags}
    named = {
        "xnat_abstractresource_id": resource.id,
        "label": resource.label,
        "element_name": "xnat:resourceCatalog",
    }
    return named | {"category": "", "cat_id": "", "cat_desc": ""} | counted | said


def file_row(owner: Node, resource: Resource, file: StoredFile) -> Row:
    address = f"{uri(owner)}/resources/{resource.id}/files/{quote(file.path)}"
    named = {"Name": file.path.rsplit("/", 1)[-1], "Size": str(file.size), "URI": address, "path": file.path}
    said = {
        "file_tags": file.notes.tags,
        "file_format": file.notes.format,
        "file_content": file.notes.content,
    }
    return named | {"collection": resource.label, "cat_ID": resource.id, "digest": file.md5} | said


def result_set(rows: list[Row]) -> dict[str, Any]:
    return {"ResultSet": {"Result": rows, "totalRecords": str(len(rows)), "title": ""}}


def as_csv(rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def items(node: Node) -> dict[str, Any]:
    """Return the items document of a node: its fields, its scans, its resources."""
    return {"items": [_item(node)]}


def resource_items(resource: Resource) -> dict[str, Any]:
    return {"items": [_described("xnat:resourceCatalog", resource_row(resource), [])]}


def _item(node: Node) -> dict[str, Any]:
    children = []
    if scans := node.children.get("scans"):
        children.append({"field": "scans/scan", "items": [_item(scan) for scan in scans.values()]})
    if node.resources:
        listed = [_described("xnat:resourceCatalog", resource_row(r), []) for r in node.resources.values()]
        children.append({"field": "resources/resource", "items": listed})
    return _described(xsi_type(node), row_of(node), children)


def _described(xsi: str, fields: Row, children: list[dict[str, Any]]) -> dict[str, Any]:
    meta = {"create_event_id": 1, "xsi:type": xsi, "isHistory": False}
    return {"children": children, "meta": meta, "data_fields": fields}
