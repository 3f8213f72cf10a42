"""A local stand-in for GitHub's API: comments, issues, merged pull requests and artifacts of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from importer.sandbox import Server

REPOSITORY = "acme/incidents"
BOT = "github-actions[bot]"
TOKEN = "job-token"
_MOST = 65_536
"""The most characters of a comment or issue; GitHub refuses more with a 422."""

Json = dict[str, Any]


@dataclass
class CodeHost:
    """The contents of the repository. With `reads_only` the token is a fork's pull request token."""

    comments: dict[int, list[Json]] = field(default_factory=dict)
    issues: list[Json] = field(default_factory=list)
    merged: list[Json] = field(default_factory=list)
    artifacts: list[Json] = field(default_factory=list)
    reads_only: bool = False
    url: str = ""
    _last_id: int = 0

    def say(self, number: int, body: str, login: str) -> Json:
        """Add a comment by a user."""
        comment = {"id": self.new_id(), "user": {"login": login}, "body": body}
        self.comments.setdefault(number, []).append(comment)
        return comment

    def merge(self, number: int, *, head: str, commit: str) -> None:
        moment = "2026-03-01T10:00:00Z"
        self.merged.append(
            {"number": number, "head": {"sha": head}, "merged_at": moment, "merge_commit_sha": commit}
        )

    def keep(self, name: str, *, head: str, run: int, of_a_fork: bool = False) -> Json:
        """Record an artifact of a run for a commit, newest last."""
        number = self.new_id()
        run_of = {
            "id": run,
            "head_sha": head,
            "repository_id": 1,
            "head_repository_id": 2 if of_a_fork else 1,
        }
        artifact = {
            "id": number,
            "name": name,
            "expired": False,
            "created_at": f"2026-03-01T10:00:{number:02}Z",
            "workflow_run": run_of,
        }
        self.artifacts.append(artifact)
        return artifact

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # -- endpoints ----------------------------------------------------------------------------------------

    def list_comments(self, request: Request, number: int) -> Any:
        return _page(request, self.comments.get(number, []))

    def create_comment(self, request: Request, number: int) -> Any:
        return self.say(number, _body(request), BOT)

    def edit_comment(self, request: Request, comment: int) -> Any:
        (known,) = [each for comments in self.comments.values() for each in comments if each["id"] == comment]
        known["body"] = _body(request)
        return known

    def list_issues(self, request: Request) -> Any:
        assert request.args["creator"] == BOT
        return _page(request, [each for each in self.issues if each["state"] == request.args["state"]])

    def create_issue(self, request: Request) -> Any:
        issue = {"number": self.new_id(), "state": "open", **_changes(request)}
        self.issues.append(issue)
        return issue

    def edit_issue(self, request: Request, number: int) -> Any:
        (known,) = [each for each in self.issues if each["number"] == number]
        known |= _changes(request)
        return known

    def list_pulls(self, request: Request, commit: str) -> Any:
        return [each for each in self.merged if commit in (each["merge_commit_sha"], each["head"]["sha"])]

    def list_artifacts(self, request: Request) -> Any:
        found = [each for each in self.artifacts if each["name"] == request.args["name"]]
        return {"total_count": len(found), "artifacts": found[::-1]}


_ROUTES: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "list_comments": ("GET", "/issues/<int:number>/comments", CodeHost.list_comments),
    "create_comment": ("POST", "/issues/<int:number>/comments", CodeHost.create_comment),
    "edit_comment": ("PATCH", "/issues/comments/<int:comment>", CodeHost.edit_comment),
    "list_issues": ("GET", "/issues", CodeHost.list_issues),
    "create_issue": ("POST", "/issues", CodeHost.create_issue),
    "edit_issue": ("PATCH", "/issues/<int:number>", CodeHost.edit_issue),
    "list_pulls": ("GET", "/commits/<commit>/pulls", CodeHost.list_pulls),
    "list_artifacts": ("GET", "/actions/artifacts", CodeHost.list_artifacts),
}


@contextmanager
def served() -> Iterator[CodeHost]:
    host = CodeHost()
    routes = Map(
        Rule(f"/repos/{REPOSITORY}{path}", endpoint=name, methods=[method])
        for name, (method, path, _) in _ROUTES.items()
    )

    @Request.application
    def app(request: Request) -> Response:
        try:
            endpoint, words = routes.bind_to_environ(request.environ).match()
            _admit(request, reads_only=host.reads_only)
            answer = _ROUTES[endpoint][2](host, request, **words)
        except HTTPException as problem:
            return _answer({"message": problem.description}, problem.code or 500)
        return _answer(answer, 201 if request.method == "POST" else 200)

    server = Server(app, "127.0.0.1", 0)
    server.start()
    host.url = server.url
    yield host
    server.stop()


def _admit(request: Request, *, reads_only: bool) -> None:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise Forbidden("Bad credentials")
    if reads_only and request.method != "GET":
        raise Forbidden("Resource not accessible by integration")


def _answer(content: Any, status: int) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")


def _page(request: Request, found: list[Json]) -> list[Json]:
    size, number = int(request.args["per_page"]), int(request.args.get("page", 1))
    return found[(number - 1) * size : number * size]


def _changes(request: Request) -> Json:
    changes: Json = request.get_json()
    assert len(changes.get("body", "")) <= _MOST
    return changes


def _body(request: Request) -> str:
    body: str = _changes(request)["body"]
    return body
