"""The exceptions that cross stages, and the exit codes. Each class is handled in a different way.

ImporterError                     exit 1: what, where, hint; shown without a traceback
├── UsageError                    a wrong option, path or configuration
├── InvalidInput                  carries every Diagnostic of the files
├── ApiError                      the server refused; keeps its message and request_id
│   └── AuthenticationFailed      401 or 403: the run stops, the missing role is named
├── NotAvailable                  the API or this account lacks an operation: warn once, continue
├── NoAnswer                      no usable answer: the request may have been carried out
├── Refused                       exit 4: stale plan, lock held, foreign account, safety limit
└── Interrupted                   exit 130: Ctrl-C while a request was waiting to be sent
"""

from __future__ import annotations

from enum import IntEnum

from importer.model.values import Diagnostic


class ExitCode(IntEnum):
    """The exit codes; each has one meaning, in every output mode."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    PARTIAL = 3
    REFUSED = 4
    INTERRUPTED = 130


class ImporterError(Exception):
    """A problem that the user can solve: `summary` states it, `hint` names the next step. `was_sent` is
    whether the request that it is about may have been carried out."""

    exit_code = ExitCode.ERROR
    code = "error"
    was_sent = True

    def __init__(self, summary: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint
        self.code = code or self.code


class UsageError(ImporterError):
    """The command line, the environment or importer.yaml is invalid."""

    code = "usage"


class InvalidInput(ImporterError):
    """The files have errors; `diagnostics` has all of them."""

    code = "invalid_input"

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("the files have errors")
        self.diagnostics = diagnostics


class ApiError(ImporterError):
    """The server refused a request. `status` is the HTTP status; `code`, `message` and `field` come from the
    first error in the answer, as does the `scope` that the key lacks, if it is named (API page: Errors)."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        request_id: str = "",
        field: str = "",
        hint: str = "",
        scope: str = "",
    ) -> None:
        at_field = f" (field {field})" if field else ""
        request = f" [request {request_id}]" if request_id else ""
        super().__init__(f"{status} {code}: {message}{at_field}{request}", hint=hint, code=code)
        self.status = status
        self.message = message
        self.request_id = request_id
        self.field = field
        self.scope = scope

    @property
    def is_server_error(self) -> bool:
        """Whether the server failed, so that the request may have been carried out all the same."""
        return self.status >= 500

    @property
    def is_invalid(self) -> bool:
        """Whether the server refused what the request has, which may be only a part of it."""
        return self.status in (400, 422)


class AuthenticationFailed(ApiError):
    """The key is wrong, or lacks a role."""


class NotAvailable(ImporterError):
    """The API, this account or this key lacks this operation; the rest continues without it. `detail` has the
    server's message and `status` the HTTP status, if the server refused a request."""

    code = "not_available"

    def __init__(
        self,
        summary: str,
        *,
        hint: str = "",
        detail: str = "",
        status: int | None = None,
        was_sent: bool = True,
    ) -> None:
        super().__init__(summary, hint=hint)
        self.detail = detail
        self.status = status
        self.was_sent = was_sent


class NoAnswer(ImporterError):
    """There was no answer, or none from the API. A write may have been carried out, if it was sent."""

    code = "no_answer"

    def __init__(self, summary: str, *, hint: str = "", was_sent: bool = True) -> None:
        super().__init__(summary, hint=hint)
        self.was_sent = was_sent


class Refused(ImporterError):
    """Continuing would not be safe: nothing more is sent. `diagnostics` has the reasons, if several."""

    exit_code = ExitCode.REFUSED
    code = "refused"
    was_sent = False

    def __init__(
        self, summary: str, *, hint: str = "", code: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(summary, hint=hint, code=code)
        self.diagnostics = diagnostics


class Interrupted(ImporterError):
    """Ctrl-C was pressed while a request was waiting to be sent, perhaps once more."""

    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"

    def __init__(self, summary: str, *, was_sent: bool = True) -> None:
        super().__init__(summary)
        self.was_sent = was_sent
