"""Debian's Chromium without a window, and what it had to say of a page."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.conformance import readers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Heard:
    """What a page did that a reader doesn't see."""

    said: list[str] = field(default_factory=list)
    """On the console, or as errors."""
    asked: list[str] = field(default_factory=list)
    """Addresses, other than its own and those that hold their own data."""


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    readers.need("chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only where there is a browser

    with sync_playwright() as playwright:
        # CI is root in a container, where the sandbox can't be had.
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def opened(chromium: Browser, path: Path, **options: object) -> Iterator[tuple[Page, Heard]]:
    """Open a page from the disk; at the end nothing may have been said or asked for."""
    context = chromium.new_context(**{"viewport": DESK, **options})
    page, heard = context.new_page(), Heard()
    page.on("console", lambda message: heard.said.append(message.text))
    page.on("pageerror", lambda error: heard.said.append(str(error)))
    page.on("dialog", lambda dialog: (heard.said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.asked.append(request.url))
    page.goto(path.as_uri())
    try:
        yield page, heard
    finally:
        context.close()
    assert heard.said == []
    assert [address for address in heard.asked if not address.startswith(("data:", path.as_uri()))] == []
