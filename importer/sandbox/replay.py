"""Turn idempotency keys into the object that an earlier request made, by the account's options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import assert_never

from importer.sandbox.choices import Idempotency, OtherContent
from importer.sandbox.exchange import Exchange
from importer.sandbox.problems import Problem, Refusal, conflict, invalid, refuse_if
from importer.sandbox.records import Creation

INCIDENT = "incident"
_FIELD = "idempotency_key"


def recall(exchange: Exchange, kind: str) -> str | None:
    """Return the ID of what the request's key made, or None if the request is to make something.

    Call it inside a transaction. Raises a 409 or 422 if that is the account's answer to a known key.
    """
    account, key = exchange.account, exchange.payload[_FIELD]
    options = account.options
    if options.longest_key is not None and len(key) > options.longest_key:
        refuse_if([invalid(_FIELD, f"{_FIELD} must have at most {options.longest_key} characters")])
    if options.idempotency is Idempotency.EXPIRED:
        return None
    since = None if options.keys_kept is None else account.now() - int(options.keys_kept * 1000)
    known = account.store.recall(kind, _scope(exchange), key, since)
    if not known:
        return None
    if account.now() - known[0].created < options.keys_in_flight * 1000:
        raise conflict("A request with this idempotency key is under way", _FIELD)
    content = _content(exchange)
    same = [each for each in known if each.content == content]
    match OtherContent.REPLAY if same else options.other_content:
        case OtherContent.REPLAY:
            return _replayed(options.idempotency, kind, (same or known)[0].made)
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
    creation = Creation(made, _content(exchange), account.now())
    account.store.remember(kind, _scope(exchange), exchange.payload[_FIELD], creation)


@contextmanager
def burn_if_refused(exchange: Exchange, kind: str) -> Iterator[None]:
    """Keep the refusal of the request that the block carries out for later ones with its key, if the account
    does so. Raises the refusal of an earlier one."""
    key = exchange.payload.get(_FIELD)
    if not exchange.account.options.burns_keys or key is None:
        yield
        return
    store, scope = exchange.account.store, _scope(exchange)
    if problems := store.burned(kind, scope, key):
        refuse_if(Problem(**each) for each in problems)
    try:
        yield
    except Refusal as refusal:
        if refusal.status == 422:
            with store.transaction():
                store.burn(kind, scope, key, [asdict(each) for each in refusal.problems])
        raise


def _scope(exchange: Exchange) -> str:
    """Return whose key it is: everybody's, or the API key's."""
    return exchange.key.id if exchange.account.options.keys_per_api_key else ""


def _replayed(idempotency: Idempotency, kind: str, made: str) -> str:
    if kind == INCIDENT and idempotency is Idempotency.CONFLICT:
        raise conflict("An incident with this idempotency key already exists", _FIELD)
    if kind == INCIDENT and idempotency is Idempotency.UNPROCESSABLE:
        refuse_if([invalid(_FIELD, "an incident with this idempotency key already exists")])
    return made


def _content(exchange: Exchange) -> str:
    return hashlib.sha256(json.dumps(exchange.body, sort_keys=True).encode()).hexdigest()
