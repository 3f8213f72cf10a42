"""Refusals of the API become errors that a user can act on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model.errors import ApiError, AuthenticationFailed
from importer.wire.errors import error, printable


def envelope(*errors: dict[str, Any], **others: Any) -> str:
    return json.dumps({"type": "validation_error", "request_id": "631766c4", "errors": [*errors], **others})


REQUIRED = {
    "code": "is_required",
    "message": "A severity is required to open an incident",
    "source": {"field": "severity_id"},
}


def test_the_servers_message_field_and_request_id_are_kept() -> None:
    refusal = error(422, {}, envelope(REQUIRED))

    assert type(refusal) is ApiError
    assert (refusal.status, refusal.code, refusal.field) == (422, "is_required", "severity_id")
    assert refusal.request_id == "631766c4"
    assert refusal.summary == (
        "422 is_required: A severity is required to open an incident (field severity_id) [request 631766c4]"
    )


def test_every_error_of_an_answer_is_named() -> None:
    other = {"code": "invalid_value", "message": "Not a URL", "source": {"pointer": "/call_url"}}
    refusal = error(422, {}, envelope(REQUIRED, other, {"code": "odd"}))

    assert refusal.message.endswith("; also Not a URL (field /call_url); also odd")


def test_a_missing_scope_is_named_with_the_next_step() -> None:
    first = {
        "code": "missing_required_scope",
        "message": "missing",
        "metadata": {"scope": "incidents.create"},
    }
    refusal = error(403, {}, envelope(first, type="resource_forbidden"))

    assert isinstance(refusal, AuthenticationFailed)
    assert "lacks the scope incidents.create" in refusal.hint
    assert "INCIDENT_API_KEY" in refusal.hint


def test_a_403_without_a_scope_still_has_a_next_step() -> None:
    assert "lacks a role" in error(403, {}, envelope({"code": "forbidden"})).hint
    assert "lacks a role" in error(403, {}, "<html>").hint


def test_a_wrong_key_is_named_as_such() -> None:
    refusal = error(401, {}, envelope({"code": "unauthenticated"}, type="authentication_error"))

    assert isinstance(refusal, AuthenticationFailed)
    assert "INCIDENT_API_KEY" in refusal.hint


def test_an_envelope_without_errors_is_named_by_its_type() -> None:
    assert error(404, {}, '{"type": "not_found"}').code == "not_found"
    assert error(404, {"x-request-id": "abc"}, '{"type": "not_found"}').request_id == "abc"


@pytest.mark.parametrize("body", ["{}", "[1]", '{"errors": "many"}', '{"errors": [1]}', "oops", '"x"'])
def test_an_answer_that_is_not_from_the_api_is_reported_as_such(body: str) -> None:
    refusal = error(404, {}, body)

    assert refusal.code == "foreign_answer"
    assert "endpoint" in refusal.hint


def test_an_empty_answer_is_reported_as_empty() -> None:
    assert "the answer is empty" in error(500, {}, "").summary


def test_a_redirect_names_its_target_without_secrets() -> None:
    refusal = error(302, {"location": "https://me:secret@login.example/sso?token=secret#secret"}, "")

    assert "https://login.example/sso" in refusal.summary
    assert "secret" not in refusal.summary
    assert "an unknown location" in error(302, {}, "").summary
    assert "an unknown location" in error(302, {"location": "http://[x"}, "").summary


def test_an_echoed_credential_is_hidden() -> None:
    assert "s3cret" not in error(400, {}, "<pre>Authorization: Bearer s3cret</pre>").summary
    assert "s3cret" not in error(422, {}, envelope({"message": "bad header Bearer s3cret"})).summary


@given(
    st.integers(300, 599),
    st.text(),
    st.dictionaries(st.sampled_from(["location", "x-request-id"]), st.text()),
)
def test_every_answer_becomes_a_short_error(status: int, body: str, headers: dict[str, str]) -> None:
    refusal = error(status, headers, body)

    assert refusal.status == status
    assert printable(refusal.summary) == refusal.summary


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "errors",
                        "code",
                        "message",
                        "source",
                        "field",
                        "metadata",
                        "scope",
                        "request_id",
                    ]
                ),
                each,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_becomes_an_error(body: Any) -> None:
    assert error(403, {}, json.dumps(body)).status == 403


def test_json_that_is_too_deep_to_read_is_not_from_the_api() -> None:
    assert error(500, {}, "[" * 100_000).code == "foreign_answer"
