"""Turn idempotency keys into the object that an earlier request made, by the account's options."""

from __future__ import annotations

import hashlib
import json
from typing import assert_never

from importer.sandbox.choices import Idempotency, OtherContent
from importer.sandbox.exchange import Exchange
from importer.sandbox.problems import conflict, invalid, refuse_if

INCIDENT = "incident"
_FIELD = "idempotency_key"


def recall(exchange: Exchange, kind: str) -> str | None:
    """Return the ID of what the request's key made, or None if the request is to make something.

    Call it inside a transaction. Raises a 409 or 422 if that is the account's answer to a known key.
    """
    options = exchange.account.options
    if options.idempotency is Idempotency.EXPIRED:
        return None
    since = None if options.keys_kept is None else exchange.account.now() - int(options.keys_kept * 1000)
    known = exchange.account.store.recall(kind, exchange.payload[_FIELD], since)
    if not known:
        return None
    content = _content(exchange)
    same = [made for made, made_of in known if made_of == content]
    match OtherContent.REPLAY if same else options.other_content:
        case OtherContent.REPLAY:
            return _replayed(options.idempotency, kind, (same or [made for made, _ in known])[0])
        case OtherContent.CONFLICT:
            raise conflict("This idempotency key was used with another payload", _FIELD)
        case OtherContent.UNPROCESSABLE:
            refuse_if([invalid(_FIELD, "this idempotency key was used with another payload")])
        case OtherContent.NEW:
            return None
        case never:
            assert_never(never)
    return None


def remember(exchange: Exchange, kind: str, made: str) -> None:
    """Record that the request's key made the object with this ID; call it inside a transaction."""
    account = exchange.account
    account.store.remember(kind, exchange.payload[_FIELD], made, _content(exchange), account.now())


def _replayed(idempotency: Idempotency, kind: str, made: str) -> str:
    if kind == INCIDENT and idempotency is Idempotency.CONFLICT:
        raise conflict("An incident with this idempotency key already exists", _FIELD)
    if kind == INCIDENT and idempotency is Idempotency.UNPROCESSABLE:
        refuse_if([invalid(_FIELD, "an incident with this idempotency key already exists")])
    return made


def _content(exchange: Exchange) -> str:
    return hashlib.sha256(json.dumps(exchange.body, sort_keys=True).encode()).hexdigest()
