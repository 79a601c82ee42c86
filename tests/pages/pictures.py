"""Pictures of the page for people to look at: `python -m tests.pages.pictures FOLDER`; the README shows the first."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.pages import browser, scene


def take(folder: Path) -> None:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browser.browser() as chromium:
        path = scene.run(Path(place)) / "report.html"
        with browser.opened(chromium, path) as (page, _):
            page.screenshot(path=folder / "report.png", clip={"x": 0, "y": 0, "width": 1280, "height": 900})
            page.screenshot(path=folder / "whole.png", full_page=True)
            page.locator(".top").evaluate(
                "(top) => { top.style.position = 'static'; }"
            )  # else it lies over what is scrolled to
            page.locator("#failures + .failures").screenshot(path=folder / "failures.png")
            page.locator("#sheet").screenshot(path=folder / "sheet.png")
            page.locator("#rows").screenshot(path=folder / "table.png")
        with browser.opened(chromium, path, color_scheme="dark") as (page, _):
            page.screenshot(
                path=folder / "dark.png", clip={"x": 0, "y": 0, "width": 1280, "height": 1900}, full_page=True
            )
        with browser.opened(chromium, path, viewport=browser.PHONE, device_scale_factor=2) as (page, _):
            page.screenshot(
                path=folder / "phone.png", clip={"x": 0, "y": 0, "width": 390, "height": 1688}, full_page=True
            )
    for picture in folder.glob("*.png"):
        with Image.open(picture) as image:
            image.convert("RGB").quantize(256).save(picture, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
