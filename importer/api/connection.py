"""The environment and the endpoint that a user names -> where the API is, and the key for it."""

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
    """Where the API is and the key for it. The key is never shown."""

    endpoint: str
    api_key: str = field(repr=False)


def connection(environ: Mapping[str, str], endpoint: str | None) -> Connection:
    """Return where the API is (the option, else INCIDENT_ENDPOINT or INCIDENT_API_URL), and the key.

    Raises UsageError where the key is missing or the endpoint unsafe. No message holds the key.
    """
    key = environ.get("INCIDENT_API_KEY", "")
    if not key:
        raise UsageError(
            "INCIDENT_API_KEY is not set",
            hint="create an API key in incident.io and export it; --sandbox needs none",
        )
    if _INVISIBLE.search(key) or not key.isascii():
        raise UsageError(
            "INCIDENT_API_KEY holds a blank, a line break or another character that no key has",
            hint="copy the key again, without quotes or line breaks",
        )
    chosen = (
        endpoint or environ.get("INCIDENT_ENDPOINT") or environ.get("INCIDENT_API_URL") or DEFAULT_ENDPOINT
    )
    return Connection(_endpoint(chosen), key)


def _endpoint(url: str) -> str:
    """Return a base URL without a slash at its end. A path prefix stays."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("the endpoint is not a URL", hint=f"write it like {DEFAULT_ENDPOINT}") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "the endpoint holds a user name or password", hint="the key comes from INCIDENT_API_KEY"
        )
    if parts.scheme not in ("http", "https") or not host or _INVISIBLE.search(url):
        raise UsageError(f"the endpoint `{url}` is not an http URL", hint=f"write it like {DEFAULT_ENDPOINT}")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise UsageError(
            f"the endpoint `{url}` holds a query or fragment", hint="only a path may follow the host"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"the endpoint `{url}` would send the API key unencrypted",
            hint="use https; plain http is for this machine only (localhost, 127.0.0.1, ::1)",
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
