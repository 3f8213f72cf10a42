"""Put items on a new incident's timeline that nobody declared, as promoted activity and streams do."""

from __future__ import annotations

from importer.sandbox import moments, views
from importer.sandbox.exchange import Exchange
from importer.sandbox.records import StoredIncident

KIND = "timeline_item"
_TITLES = ("Incident reported", "Update")
_STREAM_TITLE = "Update"


def promote_timeline(exchange: Exchange, stored: StoredIncident) -> None:
    """Add promoted items, and an item of a stream, whose `incident_id` is the stream's."""
    account = exchange.account
    for title in _TITLES:
        _add(exchange, stored, title, stored.id, {"activity_log_id": account.new_identifier()})
    _add(exchange, stored, _STREAM_TITLE, account.new_identifier(), {})


def _add(
    exchange: Exchange, stored: StoredIncident, title: str, incident_id: str, more: dict[str, str]
) -> None:
    account = exchange.account
    moment = moments.to_text(stored.created)
    wire = {
        "id": account.new_identifier(),
        "incident_id": incident_id,
        "title": title,
        "timestamp": moment,
        "created_at": moment,
        "updated_at": moment,
        "creator": views.actor(exchange.key, exchange.key.id),
        **more,
    }
    account.put_child(KIND, stored.id, wire)
