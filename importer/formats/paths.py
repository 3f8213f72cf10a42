"""JMESPath text -> what it finds in a value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


class BadPath(ValueError):
    """The text is no JMESPath."""


@lru_cache(256)
def compiled(text: str) -> Any:
    """Return an expression ready for use. Raises BadPath."""
    import jmespath  # noqa: PLC0415
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        return jmespath.compile(text)
    except JMESPathError as error:
        told = str(error).partition("\n")[0]
        raise BadPath(told) from None


def found(text: str, value: Any) -> Any:
    """Return what an expression finds. Raises BadPath where it cannot be used on this value."""
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        return compiled(text).search(value)
    except JMESPathError as error:
        raise BadPath(str(error).partition("\n")[0]) from None
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise BadPath(f"{type(error).__name__}: {error}") from None
