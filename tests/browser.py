"""A page -> the page in a real browser, which reports every request and every console message."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

Scheme = Literal["light", "dark"]
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Chromium runs as root in a container and must make no requests of its own."""


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Yield a headless Chromium; skip the test if there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_QUIET)
        yield browser
        browser.close()


@dataclass
class Seen:
    """An opened page. `noise` lists what must not occur: messages, errors, dialogs, requests."""

    page: Page
    noise: list[str] = field(default_factory=list)


@contextmanager
def opened_page(
    browser: Browser, path: Path, *, width: int = 1400, scheme: Scheme = "light", script: bool = True
) -> Iterator[Seen]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    seen = Seen(context.new_page())
    page, noise = seen.page, seen.noise

    def dismiss(dialog: Dialog) -> None:
        noise.append(dialog.message)
        dialog.dismiss()

    def watch(request: Request) -> None:
        if request.url != path.as_uri():
            noise.append(request.url)

    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", dismiss)
    page.on("request", watch)
    page.goto(path.as_uri())
    try:
        yield seen
    finally:
        context.close()
