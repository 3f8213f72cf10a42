"""What we ask of incident.io, in our own values."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import httpx

from importer import __version__
from importer.api.catalogue_reader import read_catalogue, read_options
from importer.api.children import Children
from importer.api.connection import Connection
from importer.api.exchange import Exchange, segment
from importer.api.transport import TIMEOUT
from importer.model import (
    Account,
    Answer,
    Attribute,
    Attributes,
    Catalogue,
    Entity,
    Field,
    LiveChild,
    LiveIncident,
    Needs,
    Value,
    Workflow,
)
from importer.model.errors import ApiError
from importer.wire import catalogue as wire_catalogue
from importer.wire import incidents as wire


class Client:
    """The account behind one key; thread-safe.

    Every method may raise ApiError (AuthenticationFailed for 401 and 403), NoAnswer and Interrupted.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._exchange = Exchange(http)
        self._children = Children(self._exchange)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._exchange.close()

    def identity(self) -> Account:
        """Return which account the key belongs to, and the key's roles."""
        answer = self._exchange.get("/v1/identity")
        with wire.understood("an identity"):
            return wire_catalogue.account(answer["identity"], endpoint=self._exchange.endpoint)

    def catalogue(self, needs: Needs) -> Catalogue:
        """Return the account's things; options, entries, users and status pages only as far as needed."""
        return read_catalogue(self._exchange, needs)

    def incidents(self) -> Iterator[LiveIncident]:
        """Yield the standard and retrospective incidents, oldest first: an order that stays while new ones
        are made. The first page is asked for when iteration starts."""
        parameters = {"sort_by": "created_at_oldest_first"}
        for each in self._exchange.get_pages("/v2/incidents", "incidents", parameters):
            yield wire.live_incident(each)

    def incident_count(self) -> int | None:
        """Return how many incidents `incidents` would yield; None where the account does not say."""
        page = self._exchange.get("/v2/incidents", {"page_size": "1"})
        with wire.understood("a page of incidents"):
            count = (page.get("pagination_meta") or {}).get("total_record_count")
        return count if isinstance(count, int) else None

    def incident(self, id_or_number: str) -> LiveIncident | None:
        """Return one incident by its ID or by the n of INC-n; None where the account shows none.

        A private incident may be hidden from a key that lacks global access. Whether that is a 404 or a 403
        is not documented; a key that may not look at any incident is refused its first list.
        """
        try:
            return _incident(self._exchange.get(f"/v2/incidents/{segment(id_or_number)}"))
        except ApiError as refusal:
            if refusal.status in (403, 404):
                return None
            raise

    def create(self, attributes: Attributes, *, idempotency_key: str, external_id: int | None) -> Answer:
        """Create a retrospective incident, or get the one that this idempotency key made before."""
        payload = wire.create_payload(attributes, idempotency_key=idempotency_key, external_id=external_id)
        answer, server_now = self._exchange.send_dated("/v2/incidents", payload)
        return Answer(_incident(answer), server_now)

    def edit(self, incident_id: str, attributes: Attributes) -> LiveIncident:
        """Set these attributes, and no other, without telling the incident's channel."""
        path = f"/v2/incidents/{segment(incident_id)}/actions/edit"
        return _incident(self._exchange.send("POST", path, wire.edit_payload(attributes)))

    def attach_postmortem_url(self, incident_id: str, url: str) -> None:
        """Set the link to a post-mortem elsewhere; refused where one was written in incident.io."""
        body = {"incident_id": incident_id, "permalink": url}
        self._exchange.send("POST", "/v1/postmortem_documents/actions/attach", body)

    def options(self, custom_field_id: str) -> tuple[Entity, ...]:
        """Return the options of a select field."""
        return read_options(self._exchange, custom_field_id)

    def create_option(self, custom_field: Entity, name: str) -> Entity:
        """Add an option to a select field. It has no idempotency key: list the options first, and after
        NoAnswer."""
        body = {"custom_field_id": custom_field.id, "value": name}
        answer = self._exchange.send_once("/v1/custom_field_options", body)
        with wire.understood("an option"):
            return wire_catalogue.option(answer["custom_field_option"])

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        """Return what the account holds of these kinds of children; see `Children.listed`."""
        return self._children.listed(incident_id, fields)

    def postmortem_content(self, document_id: str) -> str | None:
        """Return what a post-mortem says, in Markdown; see `Children.postmortem_content`."""
        return self._children.postmortem_content(document_id)

    def create_child(
        self, incident_id: str, attribute: Attribute, value: Value, *, idempotency_key: str
    ) -> LiveChild:
        """Create one child; see `Children.create`."""
        return self._children.create(incident_id, attribute, value, idempotency_key=idempotency_key)

    def update_child(self, incident_id: str, child_id: str, attribute: Attribute, value: Value) -> LiveChild:
        """Bring one child up to date; see `Children.update`."""
        return self._children.update(incident_id, child_id, attribute, value)

    def workflows(self) -> tuple[Workflow, ...] | None:
        """Return the account's workflows; None where the key or the account does not show them."""
        try:
            found = self._exchange.get_list("/v2/workflows", "workflows")
        except ApiError as refusal:
            if refusal.status in (403, 404):
                return None
            raise
        with wire.understood("a list of workflows"):
            return tuple(wire_catalogue.workflow(each) for each in found)


def open_client(connection: Connection, transport: httpx.BaseTransport) -> Client:
    """Return a client of this endpoint and key over a stack made by `transport.reading` or `.writing`.

    The endpoint's path is a prefix of every path. Redirects are not followed: a POST would become a GET, and
    the key would go where nobody sent it.
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
    with wire.understood("an incident"):
        found = answer["incident"]
    return wire.live_incident(found)
