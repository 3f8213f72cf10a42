"""JMESPath text -> the values that it selects."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from importer.model.diagnostics import Problem


class InvalidPath(Problem):
    """The text is not valid JMESPath, or cannot be used on this value."""


@lru_cache(256)
def compile_path(text: str) -> Any:
    """Return the compiled expression. Raises InvalidPath."""
    import jmespath  # noqa: PLC0415

    try:
        return jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as error:
        hint = "quote a name that contains a dash or a space: '\"a-b\"'"
        detail = str(error).partition("\n")[0]
        raise InvalidPath("bad-path", f"invalid JMESPath `{text}`", detail=detail, hint=hint) from None


def search_path(text: str, value: Any) -> Any:
    """Return what an expression selects. Raises InvalidPath if it cannot be used on this value."""
    try:
        return compile_path(text).search(value)
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        from jmespath.exceptions import JMESPathError  # noqa: PLC0415

        message = str(error).partition("\n")[0]
        detail = message if isinstance(error, JMESPathError) else f"{type(error).__name__}: {error}"
        raise InvalidPath("bad-path", f"`{text}` cannot be used on a record", detail=detail) from None
