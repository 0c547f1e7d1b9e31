"""HTML whose texts and attributes are always escaped: only what `element` made is markup."""

from __future__ import annotations

from html import escape

_EMPTY = {"img", "input", "link", "meta"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | bool) -> Markup:
    """Return an element; `class_` and `aria_label` are spelt with a dash in HTML, `True` stands for no value."""
    said = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    content = "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    return Markup(f"<{name}{said}>" if name in _EMPTY else f"<{name}{said}>{content}</{name}>")


def _attribute(name: str, value: str | bool) -> str:
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{escape(value)}"'
