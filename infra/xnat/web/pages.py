"""The pages, from what is known to HTML. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from infra.xnat.web.markup import Markup, element

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infra.xnat.model import Node
    from infra.xnat.users import User

# Centre and width in Hounsfield units, as radiologists commonly set them.
WINDOWS = {"Soft tissue": "40,400", "Lung": "-600,1500", "Bone": "400,1800", "Brain": "40,80"}
_HOME = ("Projects", "/")


def page(title: str, user: User | None, path: Sequence[tuple[str, str]], *content: str) -> str:
    """Return a whole page; `path` are the pages above this one, by name and address."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} - archive"),
        element("link", rel="stylesheet", href="/web/static/style.css"),
    )
    crumbs = [element("a", name, href=href) for name, href in path]
    trail = element("nav", *crumbs, element("span", title, aria_current="page"), aria_label="Where you are")
    main = element("main", element("h1", title), *content, id="main")
    skip = element("a", "Skip to the content", href="#main", class_="skip")
    body = element("body", skip, element("header", trail, _who(user)), main)
    return "<!doctype html>" + element("html", head, body, lang="en")


def _who(user: User | None) -> Markup:
    if user is None:
        return Markup("")
    leave = element("button", "Log out", type="submit")
    return element("form", element("span", user.login), leave, method="post", action="/web/logout", class_="who")


def login_page(*, failed: bool) -> str:
    said = [element("p", "Name and password are not known here.", role="alert", class_="alert")] if failed else []
    fields = [
        element("label", "User name", for_="username"),
        element("input", id="username", name="username", autocomplete="username", required=True, autofocus=True),
        element("label", "Password", for_="password"),
        element(
            "input", id="password", name="password", type="password", autocomplete="current-password", required=True
        ),
    ]
    button = element("button", "Log in", type="submit")
    return page("Log in", None, (), *said, element("form", *fields, button, method="post", action="/web/login"))


def projects_page(user: User, projects: Iterable[Node]) -> str:
    rows = [
        (_link(f"/web/projects/{p.id}", p.id), p.fields.get("name", ""), str(len(p.children["experiments"])))
        for p in projects
    ]
    return page("Projects", user, (), _table("Projects that you may see", ("ID", "Name", "Sessions"), rows))


def sessions_page(user: User, project: Node, sessions: Sequence[Node], start: int, more: int | None) -> str:
    """Return one part of a project's sessions; `more` is where the next part starts."""
    base = f"/web/projects/{project.id}"
    rows = [
        (
            _link(f"{base}/sessions/{each.id}", each.label),
            subject.label if (subject := each.subject()) else "",
            each.fields.get("modality", ""),
            each.fields.get("date", ""),
            str(len(each.children["scans"])),
        )
        for each in sessions
    ]
    table = _table("Sessions", ("Session", "Subject", "Modality", "Date", "Scans"), rows)
    turn = [_link(f"{base}?from={more}", "Next sessions")] if more is not None else []
    back = [_link(base, "First sessions")] if start else []
    return page(project.id, user, [_HOME], table, element("p", *back, " ", *turn))


def scans_page(user: User, session: Node) -> str:
    base = f"/web/projects/{session.project.id}/sessions/{session.id}"
    rows = [
        (
            _link(f"{base}/scans/{quote(scan.id)}", scan.id),
            scan.fields.get("series_description", ""),
            scan.fields.get("modality", ""),
            ", ".join(f"{r.label} ({r.file_count})" for r in scan.resources.values()),
        )
        for scan in session.children["scans"].values()
    ]
    path = [_HOME, (session.project.id, f"/web/projects/{session.project.id}")]
    return page(session.label, user, path, _table("Scans", ("Scan", "Description", "Modality", "Files"), rows))


def slices_page(user: User, scan: Node, count: int, shown: int, window: str) -> str:
    """Return the viewer: it works without a script, and the script turns slices without a new page."""
    session, project = scan.parent, scan.project
    base = f"/web/projects/{project.id}/sessions/{session.id if session else ''}"
    path = [_HOME, (project.id, f"/web/projects/{project.id}"), (session.label if session else "", base)]
    title = f"Scan {scan.id}"
    if not count:
        return page(title, user, path, element("p", "This scan holds no images that can be drawn."))
    viewer = element("form", *_controls(count, shown, window), method="get", id="viewer", data_count=str(count))
    address = f"{base}/scans/{quote(scan.id)}/slices"
    said = f"Slice {shown} of {count}"
    image = element("img", id="slice", src=_source(address, shown, window), alt=said, data_base=address)
    figure = element("figure", image, element("figcaption", said, id="said", aria_live="polite"))
    return page(title, user, path, viewer, figure, element("script", src="/web/static/viewer.js", defer=True))


def _source(address: str, number: int, window: str) -> str:
    return f"{address}/{number}.png" + (f"?window={quote(window)}" if window else "")


def _controls(count: int, shown: int, window: str) -> list[Markup]:
    options = [
        element("option", name, value=value, selected=value == window) for name, value in _choices(window).items()
    ]
    return [
        element("label", "Slice", for_="number"),
        element("input", type="range", id="number", name="slice", min="1", max=str(count), value=str(shown)),
        element("label", "Window", for_="window"),
        element("select", *options, id="window", name="window"),
        element("button", "Show", type="submit", id="show"),
        element("p", "Arrow keys turn slices; Home and End go to the first and last.", class_="hint"),
    ]


def _choices(window: str) -> Mapping[str, str]:
    known = {"As stored": ""} | WINDOWS
    return known if window in known.values() else known | {window: window}


def _link(href: str, text: str) -> Markup:
    return element("a", text, href=href)


def _table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    head = element("tr", *(element("th", name, scope="col") for name in columns))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    filled = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return filled if body else element("p", f"{caption}: none.")
