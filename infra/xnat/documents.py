"""Items as XML: XNAT's element names, attributes and order of fields. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from infra.xnat import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.xnat.model import Node

_XNAT = "http://nrg.wustl.edu/xnat"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTES = {"ID", "label", "project", "secondary_ID", "UID", "type", "visit_id", "modality"}
_NOT_SHOWN = {"URI", "xsiType", "insert_date", "insert_user", "subject_label", "xnat:subjectassessordata/id"}

ET.register_namespace("xnat", _XNAT)
ET.register_namespace("xsi", _XSI)


def item_xml(node: Node) -> bytes:
    """Return a node with its scans and resources as one XML document."""
    described = answers.items(node)["items"][0]
    kind = described["meta"]["xsi:type"].removeprefix("xnat:").removesuffix("Data")
    return _bytes(_element(kind[0].upper() + kind[1:], described))


def table_xml(rows: list[dict[str, str]]) -> bytes:
    """Return a list as XNAT's `ResultSet` document."""
    top = ET.Element("ResultSet", {"totalRecords": str(len(rows))})
    results = ET.SubElement(top, "results")
    columns = ET.SubElement(results, "columns")
    rows_element = ET.SubElement(results, "rows")
    for name in rows[0] if rows else ():
        ET.SubElement(columns, "column").text = _clean(name)
    for row in rows:
        cells = ET.SubElement(rows_element, "row")
        for value in row.values():
            ET.SubElement(cells, "cell").text = _clean(value)
    return _bytes(top)


def _bytes(element: ET.Element) -> bytes:
    return bytes(ET.tostring(element, encoding="UTF-8", xml_declaration=True))


def _element(name: str, described: Mapping[str, object]) -> ET.Element:
    element = ET.Element(f"{{{_XNAT}}}{name}")
    fields: dict[str, str] = described["data_fields"]  # type: ignore[assignment]  # the shape of `answers`
    for field, value in sorted(fields.items()):
        if field in _ATTRIBUTES:
            element.set(field, _clean(value))
        elif field not in _NOT_SHOWN and all(map(_NAME.fullmatch, parts := field.split("/"))):
            _below(element, parts).text = _clean(value)
    for child in described["children"]:  # type: ignore[attr-defined]
        many, one = child["field"].split("/")
        group = ET.SubElement(element, f"{{{_XNAT}}}{many}")
        for item in child["items"]:
            below = _element(one, item)
            below.set(f"{{{_XSI}}}type", item["meta"]["xsi:type"])
            group.append(below)
    return element


def _below(element: ET.Element, parts: list[str]) -> ET.Element:
    for part in parts:
        tag = f"{{{_XNAT}}}{part}"
        found = element.find(tag)
        element = ET.SubElement(element, tag) if found is None else found
    return element


def _clean(text: str) -> str:
    """Leave out what no XML document may hold."""
    return _NOT_XML.sub("", text)
