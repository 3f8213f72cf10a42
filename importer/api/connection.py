"""The environment and the --endpoint option -> the API's endpoint and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from importer.model.errors import UsageError

DEFAULT_ENDPOINT = "https://api.incident.io"
_INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Connection:
    """The API's endpoint and key. The key is left out of the repr."""

    endpoint: str
    api_key: str = field(repr=False)


def connection(environ: Mapping[str, str], endpoint: str | None) -> Connection:
    """Return the endpoint (the option, else INCIDENT_ENDPOINT or INCIDENT_API_URL) and the key.

    Raises UsageError if the key is missing or the endpoint is unsafe. No message contains the key.
    """
    key = environ.get("INCIDENT_API_KEY", "")
    if not key:
        raise UsageError(
            "INCIDENT_API_KEY is not set",
            hint="create an API key in incident.io and export it; --sandbox needs none",
        )
    if _INVISIBLE.search(key) or not key.isascii():
        raise UsageError(
            "INCIDENT_API_KEY contains a space, a line break or another character that keys never contain",
            hint="copy the key again, without quotes or line breaks",
        )
    chosen = (
        endpoint or environ.get("INCIDENT_ENDPOINT") or environ.get("INCIDENT_API_URL") or DEFAULT_ENDPOINT
    )
    return Connection(_endpoint(chosen), key)


def _endpoint(url: str) -> str:
    """Return a base URL without trailing slashes. A path prefix is kept."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("the endpoint is not a URL", hint=f"write it like {DEFAULT_ENDPOINT}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the endpoint contains a user name or password", hint="set the key in INCIDENT_API_KEY"
        )
    if parts.scheme not in ("http", "https") or not host or _INVISIBLE.search(url):
        raise UsageError(f"the endpoint `{url}` is not an http URL", hint=f"write it like {DEFAULT_ENDPOINT}")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise UsageError(
            f"the endpoint `{url}` contains a query or fragment", hint="only a path may follow the host"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"the endpoint `{url}` would send the API key unencrypted",
            hint="use https; plain http is allowed for this machine only (localhost, 127.0.0.1, ::1)",
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
