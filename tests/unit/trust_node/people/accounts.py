"""An archive's accounts, and one project's groups and files."""

import json

from aiohttp import web

from tests.unit.imaging.xnat.odd import rows


class Archive:
    def __init__(self, *, version: str = "1.9.0") -> None:
        self.version = version
        self.accounts: dict[str, dict] = {}
        self.group: dict[str, str] = {"boss": "Owners"}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.created: list[dict] = []
        self.losing_answers = False

    async def answers(self, request: web.Request) -> web.StreamResponse:
        path, body = request.path, await request.read()
        self.asked.append(f"{request.method} {path}")
        if request.method == "GET":
            return self._told(path)
        match request.method, path.split("/")[1:]:
            case "POST", ["xapi", "users"]:
                return self._create(json.loads(body))
            case "PUT", ["xapi", "users", login]:
                self.accounts[login] |= json.loads(body)
            case "PUT", ["data", "projects", "p", "users", group, login]:
                self.group[login] = group
            case "DELETE", ["data", "projects", "p", "users", group, login]:
                if self.group.get(login) != group:
                    return web.Response(status=404)
                del self.group[login]
            case _:
                self.files[path] = body
        return web.Response()

    def _told(self, path: str) -> web.Response:
        match path:
            case "/xapi/siteConfig/buildInfo":
                return web.json_response({"version": self.version})
            case "/xapi/users/profiles":
                return web.json_response(list(self.accounts.values()))
            case "/data/projects/p/users":
                return rows(*({"login": login, "displayname": group} for login, group in self.group.items()))
        return web.Response(body=self.files[path]) if path in self.files else web.Response(status=404)

    def _create(self, profile: dict) -> web.Response:
        if profile["username"] in self.accounts:
            return web.Response(status=409)
        self.created.append(profile)
        self.accounts[profile["username"]] = profile
        return web.Response(status=502 if self.losing_answers else 201)

    def has(self, login: str, email: str, *, enabled: bool = True) -> None:
        self.accounts[login] = {"username": login, "email": email, "enabled": enabled, "lastName": "Somebody"}
