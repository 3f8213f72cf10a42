"""Turn a name, or a time and a count, into an identifier in the format of a ULID."""

from __future__ import annotations

import hashlib
from functools import lru_cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_COUNT_BITS, _TAIL_BITS = 25, 55


def named(kind: str, name: str) -> str:
    """Return the identifier of a seeded object, which depends only on its kind and name."""
    digest = hashlib.sha256(f"{kind}\0{name}".encode()).digest()
    return "01F" + _encode(int.from_bytes(digest[:15], "big"), 23)


def counted(milliseconds: int, count: int, account: str) -> str:
    """Return the identifier of the `count`th new object: a ULID that sorts by time, then count, and that no
    other account uses."""
    randomness = ((count % (1 << _COUNT_BITS)) << _TAIL_BITS) | _tail(account)
    return _encode(milliseconds, 10) + _encode(randomness, 16)


@lru_cache
def _tail(account: str) -> int:
    return int.from_bytes(hashlib.sha256(account.encode()).digest()[:8], "big") >> (64 - _TAIL_BITS)


def _encode(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))
