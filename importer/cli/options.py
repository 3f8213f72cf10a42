"""The options that several commands share, and the forms of output that they choose from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from importer.cli.parameters import argument, option
from importer.model import Scope
from importer.model.diagnostics import SHOWN_LOCATIONS
from importer.model.settings import Rate, parse_rate


class OutputFormat(Enum):
    """Forms of output; each command offers some of them."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"


TextOrJson = Literal[OutputFormat.TEXT, OutputFormat.JSON]
AnnotationFormat = Literal[OutputFormat.GITHUB, OutputFormat.GITLAB, OutputFormat.SARIF]
"""Formats that put diagnostics beside the lines that they are about."""
DiagnosticsFormat = Literal[TextOrJson, AnnotationFormat]

FormatT = TypeVar("FormatT", bound=OutputFormat)

FORMAT = option("--format", default=OutputFormat.TEXT, help="The form of the output. [default: text]")
JsonFlag = Annotated[bool, option(help="The same as --format json.")]


def chosen_format(given: FormatT, json: bool) -> FormatT | Literal[OutputFormat.JSON]:
    """Return the output format that --format and --json ask for."""
    return OutputFormat.JSON if json else given


EveryPlace = Annotated[bool, option("--all", help="Show every place of each problem, not the first few.")]


def shown_places(every_place: bool) -> int | None:
    """Return how many places of a problem are shown; None is all."""
    return None if every_place else SHOWN_LOCATIONS


FullFlag = Annotated[bool, option(help="Show each creation, however many there are.")]
JsonOutPath = Annotated[Path | None, option(help="Write the JSON to this file too.")]
NoColorFlag = Annotated[bool, option(help="No colour. [env: NO_COLOR]")]
Paths = Annotated[tuple[Path, ...], argument()]
RejectsPath = Annotated[
    Path | None,
    option(help="Write the records of a mapped source that are wrong to this CSV, with the reason."),
]


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every command that meets files or the account takes."""

    config: Annotated[Path | None, option(help="The importer.yaml to use instead of the one in this folder.")]
    endpoint: Annotated[str | None, option(help="The API's URL. [env: INCIDENT_ENDPOINT]")]
    sandbox: Annotated[bool, option(help="Use the embedded sandbox: no account, no network.")]
    state: Annotated[Path | None, option(help="The state file. [default: .importer/state.db]")]
    lock_timeout: Annotated[
        float,
        option(within=(0, None), default=0.0, help="Seconds to wait for another run to end. [default: 0]"),
    ]
    no_color: NoColorFlag
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        option(default="warning", help="How much goes into the log. [default: warning]"),
    ]
    log_file: Annotated[Path | None, option(help="Append the log to this file instead of stderr.")]

    def command_line(self, *words: str | Path) -> str:
        """Return the command line of another command on the same account, configuration and state."""
        options = (("--config", self.config), ("--endpoint", self.endpoint), ("--state", self.state))
        line = ["importer", *map(str, words)]
        for name, value in options:
            line += [name, str(value)] if value else []
        return shlex.join([*line, "--sandbox"] if self.sandbox else line)


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """Which of the incidents a plan is about."""

    only: Annotated[
        tuple[str, ...],
        option(metavar="KEY|GLOB", help="Only the incidents with these keys. Repeatable."),
    ]
    limit: Annotated[int | None, option(within=(1, None), help="At most so many changes, oldest first.")]

    def scope(self, *, drift_only: bool = False) -> Scope:
        """Return the scope of the plan."""
        return Scope(self.only, self.limit, drift_only=drift_only)


@dataclass(frozen=True, slots=True)
class RateOptions:
    """How fast requests are sent, and how long one of them waits."""

    rate: Annotated[str | None, option(metavar="N/min|P%", help="Stay below this rate. [default: 100%]")]
    max_wait: Annotated[
        float,
        option(
            within=(0, None),
            default=14400.0,
            show_default=True,
            help="Seconds that a request waits for the server's rate limit before it counts as failed.",
        ),
    ]

    @property
    def ceiling(self) -> Rate | None:
        """Raises UsageError for what is no rate."""
        return parse_rate(self.rate) if self.rate else None


@dataclass(frozen=True, slots=True)
class PlanOutputOptions:
    """How a plan is shown."""

    format: Annotated[OutputFormat, FORMAT]
    json: JsonFlag
    full: FullFlag
    max_bytes: Annotated[
        int,
        option(within=(1000, None), default=60000, show_default=True, help="How long the Markdown may be."),
    ]
    show_private: Annotated[bool, option(help="Show what private incidents say in Markdown and HTML.")]
