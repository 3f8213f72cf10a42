"""What a program prints to a terminal -> a page that shows it as the terminal does, for screenshots."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_THEME = TerminalTheme(
    (27, 31, 36),
    (220, 224, 228),
    [
        (27, 31, 36),
        (242, 139, 130),
        (113, 200, 147),
        (224, 180, 95),
        (130, 180, 234),
        (201, 161, 230),
        (102, 194, 207),
        (220, 224, 228),
    ],
)
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
html {{ background: #1b1f24; }}
body {{ margin: 0; padding: 20px 24px; color: #dce0e4; }}
pre {{ margin: 0; font: 14px/1.45 "DejaVu Sans Mono", monospace; }}
{stylesheet}</style><pre>{code}</pre>"""


def page(command: str, printed: str) -> str:
    """Return a page with a prompt, the command and its output in colour."""
    console = Console(record=True, width=200, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Text(f"$ {command}", style="bold"), Text.from_ansi(printed), sep="\n", soft_wrap=True)
    return console.export_html(theme=_THEME, code_format=_PAGE)
