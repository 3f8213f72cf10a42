"""The official Python SDK works with the sandbox."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, TypeVar

import pytest

from importer.sandbox import open_sandbox, serve

if TYPE_CHECKING:
    from incident_io.models import ErrorResponse

Result = TypeVar("Result")
incident_io = pytest.importorskip("incident_io", exc_type=ImportError)


@pytest.fixture(scope="module")
def client():
    sandbox = open_sandbox(None)
    server = serve(sandbox, "127.0.0.1", 0)
    server.start()
    with incident_io.AuthenticatedClient(base_url=server.url, token="sandbox-key") as client:
        yield client
    server.stop()
    sandbox.close()


def granted(answer: Result | ErrorResponse | None) -> Result:
    """Return the answer, which must not be a refusal."""
    from incident_io.models import ErrorResponse  # noqa: PLC0415

    assert answer is not None
    assert not isinstance(answer, ErrorResponse)
    return answer


@pytest.mark.slow
def test_the_official_client_creates_lists_shows_and_edits(client):
    from incident_io import models  # noqa: PLC0415
    from incident_io.api.incidents_v2 import (  # noqa: PLC0415
        incidents_v2_create,
        incidents_v2_edit,
        incidents_v2_list,
        incidents_v2_show,
    )
    from incident_io.api.severities_v1 import severities_v1_list  # noqa: PLC0415
    from incident_io.api.users_v2 import users_v2_list  # noqa: PLC0415

    severities = granted(severities_v1_list.sync(client=client)).severities
    assert [severity.name for severity in severities] == ["Minor", "Major", "Critical"]
    assert len(granted(users_v2_list.sync(client=client, page_size=100)).users) == 24
    payload = models.IncidentsCreatePayloadV2(
        idempotency_key="one",
        visibility=models.IncidentsCreatePayloadV2Visibility.PUBLIC,
        mode=models.IncidentsCreatePayloadV2Mode.RETROSPECTIVE,
        name="Payments failed",
        severity_id=severities[1].id,
    )
    made = granted(incidents_v2_create.sync(client=client, body=payload)).incident
    assert isinstance(made.severity, models.SeverityV2)
    assert (made.reference, made.severity.name) == ("INC-1", "Major")
    assert made.created_at.tzinfo == datetime.UTC
    edit = models.IncidentsEditPayloadV2(
        incident=models.IncidentEditPayloadV2(name="Payments failed twice"), notify_incident_channel=False
    )
    edited = granted(incidents_v2_edit.sync(made.id, client=client, body=edit))
    assert edited.incident.name == "Payments failed twice"
    assert granted(incidents_v2_show.sync("1", client=client)).incident.name == "Payments failed twice"
    listed = granted(incidents_v2_list.sync(client=client, page_size=1))
    assert [incident.id for incident in listed.incidents] == [made.id]
