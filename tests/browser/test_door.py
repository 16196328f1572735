"""Who may look: a password, and what it opens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.words import access as words
from tests.support.browser import open_page, settle
from tests.support.site import Site

pytestmark = pytest.mark.browser

PASSWORDS = {"dashboard_password": "let me act", "dashboard_viewer_password": "let me look"}


def come_in(page: Page, password: str) -> None:
    """Type a password and press Enter."""
    page.get_by_label(words.PASSWORD, exact=True).fill(password)
    page.keyboard.press("Enter")


def test_a_wrong_password_opens_nothing(site: Site, browser: Browser) -> None:
    site.dashboard(**PASSWORDS)
    with open_page(browser, f"{site.dashboard_url}/results?status=failed") as page:
        come_in(page, "let me in")
        expect(page.get_by_text(words.WRONG)).to_be_visible()
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)


def test_a_deep_link_survives_the_door(site: Site, browser: Browser) -> None:
    site.dashboard(**PASSWORDS)
    with open_page(browser, f"{site.dashboard_url}/results?status=failed") as page:
        come_in(page, PASSWORDS["dashboard_password"])
        expect(page.get_by_role("heading", name="Results", level=1)).to_be_visible()
        settle(page)
        assert "status=failed" in page.url


def test_a_viewer_is_told_what_it_may_do(site: Site, browser: Browser) -> None:
    site.dashboard(**PASSWORDS)
    with open_page(browser, site.dashboard_url) as page:
        come_in(page, PASSWORDS["dashboard_viewer_password"])
        expect(page.get_by_text(words.VIEWING)).to_be_visible()
