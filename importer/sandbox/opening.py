"""Turn a path, a seed and options into an open sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from importer.sandbox.account import Account
from importer.sandbox.app import Application
from importer.sandbox.catalogue import from_seed, seeded_options
from importer.sandbox.options import SandboxOptions
from importer.sandbox.records import Wire
from importer.sandbox.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Sandbox(Application):
    """A stand-in for the incident.io API: an account on disk or in memory, behind a WSGI app."""

    @property
    def app(self) -> WSGIApplication:
        """The WSGI application; any number of threads may call it."""
        return self

    def close(self) -> None:
        """Close the file; the app answers no further requests."""
        self._account.store.close()


def default_seed() -> Wire:
    """Return the seed of a new sandbox's account."""
    text = files("importer.sandbox").joinpath("seed.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    seed: Wire = yaml.load(text, Loader=loader)  # noqa: S506
    return seed


def open_sandbox(
    path: Path | None,
    *,
    seed: Mapping[str, Any] | None = None,
    options: SandboxOptions | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Sandbox:
    """Open the sandbox whose account is in the file at `path`, or a new one in memory if it is None.

    A new account is made from `seed` (for its format see catalogue.py) or from the default seed. `clock`
    returns seconds since 1970, `sleep` takes seconds. Raises ValueError if the file holds another account.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    store = Store(path)
    try:
        catalogue = from_seed(_open_account(store, seed))
    except BaseException:
        with suppress(Exception):
            store.close()
        raise
    chosen = options or SandboxOptions()
    return Sandbox(Account(catalogue, store, chosen, lambda: clock() + chosen.clock_offset), sleep)


def _open_account(store: Store, seed: Mapping[str, Any] | None) -> Wire:
    """Return the seed of the store's account; a new store gets `seed`, or the default one.

    A seed without api_keys gets the default ones. Raises ValueError if the store holds another account.
    """
    with store.transaction():
        kept = store.seed()
        if kept is None:
            default = default_seed()
            wanted = default if seed is None else {"api_keys": default["api_keys"], **seed}
            from_seed(wanted)
            store.keep_seed(wanted)
            for option in seeded_options(wanted):
                store.add_option(option)
            return wanted
    if seed is not None and {"api_keys": kept["api_keys"], **seed} != kept:
        raise ValueError("the sandbox's file holds an account made from another seed; use another file")
    return kept
