"""The options that commands share, and the output formats to choose from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from importer.cli.parameters import Argument, Option
from importer.model import Scope
from importer.model.diagnostics import SHOWN_LOCATIONS
from importer.model.settings import Rate, parse_rate


class OutputFormat(Enum):
    """The output formats; each command offers some of them."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"


TextOrJson = Literal[OutputFormat.TEXT, OutputFormat.JSON]
AnnotationFormat = Literal[OutputFormat.GITHUB, OutputFormat.GITLAB, OutputFormat.SARIF]
"""Formats that show each diagnostic next to its line in a review."""
DiagnosticsFormat = Literal[TextOrJson, AnnotationFormat]

FORMAT = Option("The output format.", default=OutputFormat.TEXT, shorthand="json")

EveryPlace = Annotated[
    bool, Option("Show every location of each problem, not just the first few.", flag="--all")
]


def shown_places(every_place: bool) -> int | None:
    """Return how many locations to show for each problem; None means all."""
    return None if every_place else SHOWN_LOCATIONS


FullFlag = Annotated[bool, Option("List every creation, however many there are.")]
JsonOutPath = Annotated[Path | None, Option("Also write the JSON to this file.")]
NoColorFlag = Annotated[bool, Option("Disable colour. [env: NO_COLOR]")]
AdoptMatchingFlag = Annotated[
    bool,
    Option(
        "After the state was lost: adopt incidents that have the declared number and all declared values."
    ),
]
Paths = Annotated[tuple[Path, ...], Argument()]
RejectsPath = Annotated[
    Path | None,
    Option("Also write the records with errors to this CSV, with the reason."),
]


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The options of every command that reads files or the account."""

    config: Annotated[Path | None, Option("Use this importer.yaml, not the one in the current folder.")]
    endpoint: Annotated[str | None, Option("The API URL. [env: INCIDENT_ENDPOINT]", metavar="URL")]
    sandbox: Annotated[bool, Option("Use the embedded sandbox: no account, no network.")]
    state: Annotated[Path | None, Option("The state file. [default: .importer/state.db]")]
    lock_timeout: Annotated[
        float,
        Option(
            "How long to wait for another run to release the state.",
            within=(0, None),
            default=0.0,
            metavar="SECONDS",
        ),
    ]
    no_color: NoColorFlag
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Option("The log level.", default="warning"),
    ]
    log_file: Annotated[Path | None, Option("Append the log to this file instead of stderr.")]

    def command_line(self, *words: str | Path) -> str:
        """Return the line that runs a command with the same account, configuration and state."""
        options = (("--config", self.config), ("--endpoint", self.endpoint), ("--state", self.state))
        line = ["importer", *map(str, words)]
        for name, value in options:
            line += [name, str(value)] if value else []
        return shlex.join([*line, "--sandbox"] if self.sandbox else line)


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """The options of a command that only prints something."""

    format: Annotated[TextOrJson, FORMAT]
    common: CommonOptions


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """Which incidents a plan covers."""

    only: Annotated[tuple[str, ...], Option("Only incidents with this key. Repeatable.", metavar="KEY|GLOB")]
    limit: Annotated[int | None, Option("Make at most N changes, oldest first.", within=(1, None))]

    def scope(self, *, drift_only: bool = False) -> Scope:
        """Return the scope of the plan."""
        return Scope(self.only, self.limit, drift_only=drift_only)


@dataclass(frozen=True, slots=True)
class RateOptions:
    """How fast requests are sent, and how long each may wait."""

    rate: Annotated[str | None, Option("Stay below this request rate. [default: 100%]", metavar="N/min|P%")]
    max_wait: Annotated[
        float,
        Option(
            "How long a request may wait for the server's rate limit before it fails.",
            within=(0, None),
            default=14400.0,
            metavar="SECONDS",
        ),
    ]

    @property
    def ceiling(self) -> Rate | None:
        """Return the given rate, if any. Raises UsageError if it is invalid."""
        return parse_rate(self.rate) if self.rate else None


@dataclass(frozen=True, slots=True)
class PlanOutputOptions:
    """How a plan is shown."""

    format: Annotated[OutputFormat, FORMAT]
    full: FullFlag
    max_bytes: Annotated[
        int,
        Option("The maximum size of the Markdown, in bytes.", within=(1000, None), default=60000),
    ]
    show_private: Annotated[bool, Option("Include the text of private incidents in Markdown and HTML.")]
