"""Chromium, driven by Playwright: Debian's package, found on the path."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

PATIENCE_MS = 20_000
FADE_MS, TRIES = 600, 5  # charts fade in
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--autoplay-policy=no-user-gesture-required"),
]
RUNNING = '[data-testid="stApp"][data-test-script-state="running"]'


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser without a window."""
    executable = shutil.which("chromium")
    assert executable, "chromium is not installed (Debian: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A new visitor's page at an address, with everything on it."""
    given = {"viewport": WIDE, "timezone_id": "Europe/Berlin", "locale": "en-GB", **options}
    context = browser.new_context(**given)
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        page.goto(url)
        settle(page)
        yield page
    finally:
        context.close()


def settle(page: Page) -> None:
    """Wait until the page has a title and its script rests."""
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(RUNNING)).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)


def shoot(page: Page, file: Path) -> None:
    """A picture of the whole page, not only of what fits into the window."""
    before = page.viewport_size or WIDE
    for _ in range(TRIES):  # a taller window may show more
        content = page.get_by_test_id("stMainBlockContainer").bounding_box()
        assert content is not None
        window = page.viewport_size or WIDE
        height = max(before["height"], round(content["height"]))
        if height == window["height"]:
            break
        page.set_viewport_size({"width": before["width"], "height": height})
        page.wait_for_timeout(FADE_MS)
    settle(page)
    page.screenshot(path=file)
    page.set_viewport_size(before)
