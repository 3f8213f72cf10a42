"""The incident.io API as methods that take and return the model's values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx

from importer import __version__
from importer.api.catalogue_reader import read_catalogue, read_options
from importer.api.children import (
    check_list,
    read_children,
    read_postmortem_content,
    read_status_page_incidents,
)
from importer.api.connection import Connection
from importer.api.exchange import Exchange
from importer.api.transport import TIMEOUT
from importer.model import (
    Account,
    Answer,
    Catalogue,
    Entity,
    Field,
    LiveChild,
    LiveIncident,
    Membership,
    Needs,
    Workflow,
)
from importer.model.errors import ApiError
from importer.model.steps import (
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    SetChildStatus,
)
from importer.wire import catalogue as wire_catalogue
from importer.wire import incidents as wire
from importer.wire import paths
from importer.wire.children import created, is_there_already
from importer.wire.requests import Request


class Client:
    """Access to the account of one API key. Thread-safe.

    Every method may raise ApiError (AuthenticationFailed for 401 and 403), NoAnswer and Interrupted.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._exchange = Exchange(http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._exchange.close()

    def identity(self) -> Account:
        """Return the account that the key belongs to, with the key's roles."""
        answer = self._exchange.get(paths.IDENTITY)
        with wire.parsing("an identity"):
            return wire_catalogue.account(answer["identity"], endpoint=self._exchange.endpoint)

    def catalogue(self, needs: Needs) -> Catalogue:
        """Return the account's catalogue; options, entries, users and status pages only as far as needed."""
        return read_catalogue(self._exchange, needs)

    def incidents(self) -> Iterator[LiveIncident]:
        """Yield the standard and retrospective incidents, oldest first, an order that new incidents do not
        disturb. The first page is requested when iteration starts."""
        parameters = {"sort_by": "created_at_oldest_first"}
        for each in self._exchange.get_pages(paths.INCIDENTS, "incidents", parameters):
            yield wire.live_incident(each)

    def newest_incidents(self) -> Iterator[LiveIncident]:
        """Yield the standard and retrospective incidents, newest first, a request for each page of them."""
        parameters = {"sort_by": "created_at_newest_first"}
        for each in self._exchange.get_pages(paths.INCIDENTS, "incidents", parameters):
            yield wire.live_incident(each)

    def server_time(self) -> datetime | None:
        """Return the server's time in its latest answer, or None if no answer had one."""
        return self._exchange.server_time

    def incident_count(self) -> int | None:
        """Return how many incidents `incidents` would yield, or None if the account does not report it."""
        page = self._exchange.get(paths.INCIDENTS, {"page_size": "1"})
        with wire.parsing("a page of incidents"):
            count = (page.get("pagination_meta") or {}).get("total_record_count")
        return count if isinstance(count, int) else None

    def incident(self, id_or_number: str) -> LiveIncident | None:
        """Return one incident by its ID or by the n of INC-n, or None if the key cannot see it.

        A private incident may be hidden from a key that lacks global access. Whether that is a 404 or a 403
        is not documented; a key that may not read incidents at all already fails on its first list.
        """
        try:
            return _incident(self._exchange.get(paths.below(paths.INCIDENTS, id_or_number)))
        except ApiError as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    def create(self, _step: CreateIncident, request: Request) -> Answer:
        """Create a retrospective incident, or return the one that this idempotency key created before."""
        answer, server_now = self._exchange.send(request)
        return Answer(_incident(answer), server_now)

    def edit(self, _step: EditIncident | CorrectIncident, request: Request) -> LiveIncident:
        """Set only the given attributes, without notifying the incident's channel."""
        return _incident(self._exchange.send(request)[0])

    def create_child(self, step: CreateChild, request: Request) -> LiveChild:
        """Create one child and return it with the value that the account now shows, if it shows one.

        A membership that already existed is returned without an ID.
        """
        try:
            answer, _ = self._exchange.send(request)
        except ApiError as refusal:
            if not isinstance(step.value, Membership) or not is_there_already(refusal):
                raise
            return LiveChild("", step.attribute, step.value)
        with wire.parsing(f"one of {step.attribute.field}"):
            return created(step, answer)

    def change(self, _step: AttachPostmortem | EditChild | SetChildStatus, request: Request) -> None:
        """Send an edit whose answer is not used."""
        self._exchange.send(request)

    def create_option(self, _step: CreateOption, request: Request) -> Entity:
        """Add an option to a select field."""
        answer, _ = self._exchange.send(request)
        with wire.parsing("an option"):
            return wire_catalogue.option(answer["custom_field_option"])

    def options(self, custom_field_id: str) -> tuple[Entity, ...]:
        """Return the options of a select field."""
        return read_options(self._exchange, custom_field_id)

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        """Return the live children of these kinds; see `read_children`."""
        return read_children(self._exchange, incident_id, fields)

    def check_list(self, kind: Field | Entity) -> None:
        """Look whether children of a kind can be listed at all; see `check_list`."""
        check_list(self._exchange, kind)

    def status_page_incidents(self, page: Entity) -> tuple[LiveChild, ...]:
        """Return all incidents of a status page; see `read_status_page_incidents`."""
        return read_status_page_incidents(self._exchange, page)

    def postmortem_content(self, document_id: str) -> str | None:
        """Return the text of a post-mortem as Markdown; see `read_postmortem_content`."""
        return read_postmortem_content(self._exchange, document_id)

    def workflows(self) -> tuple[Workflow, ...] | None:
        """Return the account's workflows, or None if the key or the account does not give access to them."""
        try:
            found = self._exchange.get_list(paths.WORKFLOWS, "workflows")
        except ApiError as refusal:
            if refusal.status in (403, 404):
                return None
            raise
        with wire.parsing("a list of workflows"):
            return tuple(wire_catalogue.workflow(each) for each in found)


def open_client(connection: Connection, transport: httpx.BaseTransport) -> Client:
    """Return a client for this endpoint and key, over a stack built by `importer.api.transport`.

    The endpoint's path is a prefix of every path. Redirects are not followed: a POST would become a GET, and
    the key would be sent to another host.
    """
    return Client(
        httpx.Client(
            base_url=connection.endpoint,
            transport=transport,
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={
                "Authorization": f"Bearer {connection.api_key}",
                "User-Agent": f"incident-importer/{__version__}",
                "Accept": "application/json",
            },
        )
    )


def _incident(answer: wire.Json) -> LiveIncident:
    with wire.parsing("an incident"):
        found = answer["incident"]
    return wire.live_incident(found)
