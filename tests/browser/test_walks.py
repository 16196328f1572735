"""The main walks through the dashboard, against real processes and the simulator."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from core.generation.model import Status
from dashboard.acts.plan import Act
from dashboard.navigation import PLACES, Place
from dashboard.words import acts, common, create, results
from tests.support.browser import PATIENCE_MS, open_page, settle
from tests.support.site import Site

pytestmark = pytest.mark.browser

DELIVERED = common.STATUS[Status.SUCCESS].word
PICTURE = {
    "model": "flux-2/pro-text-to-image",
    "input": {"prompt": "a red kite", "aspect_ratio": "1:1", "resolution": "1K"},
    "userId": "ann",
}
EXAMPLES = {"FLUX.2 Pro": "img", "Kling 2.6": "video", "ElevenLabs": "audio"}


def main(page: Page) -> Page:
    """What is beside the navigation."""
    return page.get_by_test_id("stMain")  # type: ignore[return-value]


def see_delivered(page: Page) -> None:
    """The page learns by itself that the result is there."""
    expect(main(page).get_by_text(DELIVERED, exact=True).first).to_be_visible(timeout=PATIENCE_MS)


def see_content(page: Page, tag: str) -> None:
    """The browser has read the file itself, and plays what can be played."""
    shown = main(page).locator(tag).first
    expect(shown).to_be_visible(timeout=PATIENCE_MS)
    is_read = "each => each.complete ? each.naturalWidth > 0 : each.readyState >= 2"
    page.wait_for_function(is_read, arg=shown.element_handle(), timeout=PATIENCE_MS)
    if tag != "img":
        shown.evaluate("each => each.play()")
        plays = "each => each.currentTime > 0"
        page.wait_for_function(plays, arg=shown.element_handle(), timeout=PATIENCE_MS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_created_is_watched_until_it_plays(
    site: Site, browser: Browser, example: str
) -> None:
    site.web()
    site.poller()
    site.dashboard()
    with open_page(browser, f"{site.dashboard_url}/create") as page:
        main(page).get_by_role("button", name=create.test(example)).click()
        expect(page.get_by_role("heading", name="Task", level=1)).to_be_visible()
        see_delivered(page)
        see_content(page, EXAMPLES[example])


def test_a_double_click_creates_once(site: Site, browser: Browser) -> None:
    site.dashboard()
    button = create.test("FLUX.2 Pro")
    for gap_ms in (0, 60, 150):
        with open_page(browser, f"{site.dashboard_url}/create") as page:
            main(page).get_by_role("button", name=button).dblclick(delay=gap_ms)
            expect(page.get_by_role("heading", name="Task", level=1)).to_be_visible()
            settle(page)
    assert len(site.rows("SELECT id FROM generations")) == 3


def test_a_stuck_task_is_looked_at_again_and_delivered(site: Site, browser: Browser) -> None:
    site.faults(callback_none=True)
    site.web()
    made = site.create(PICTURE)
    site.dashboard()
    with open_page(browser, f"{site.dashboard_url}/stuck?reason=slow") as page:
        expect(main(page).get_by_test_id("stDataFrame")).to_be_visible(timeout=PATIENCE_MS)
        main(page).get_by_role("button", name=acts.LABEL[Act.LOOK_AGAIN]).click()
        page.get_by_role("dialog").get_by_role(
            "button", name=acts.submit(Act.LOOK_AGAIN, 1)
        ).click()
        expect(page.get_by_text(acts.DONE[Act.LOOK_AGAIN])).to_be_visible()
    site.poller()
    with open_page(browser, f"{site.dashboard_url}/task?id={made['taskId']}") as page:
        see_delivered(page)
        expect(main(page).get_by_text("operator on this machine").first).to_be_visible()


def test_a_list_is_the_same_for_whoever_opens_its_address(site: Site, browser: Browser) -> None:
    site.web()
    site.poller()
    for user in ("ann", "bob"):
        site.create({**PICTURE, "userId": user})
    site.wait_for_all()
    site.dashboard()
    address = f"{site.dashboard_url}/results?user=bob&view=table"
    for _ in range(2):
        with open_page(browser, address) as page:
            expect(main(page).get_by_text("1 generation", exact=False).first).to_be_visible()
            assert page.url == address


def test_a_csv_holds_what_the_filters_let_through(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    site.web()
    site.poller()
    for user in ("ann", "ann", "bob"):
        site.create({**PICTURE, "userId": user})
    site.wait_for_all()
    site.dashboard()
    with open_page(browser, f"{site.dashboard_url}/results?user=ann") as page:
        main(page).get_by_role("button", name=results.CSV, exact=True).click()
        with page.expect_download() as download:
            page.get_by_test_id("stDownloadButton").get_by_role("button").click()
        download.value.save_as(tmp_path / "some.csv")
    rows = list(csv.DictReader((tmp_path / "some.csv").read_text().splitlines()))
    assert [row["user_id"] for row in rows] == ["ann", "ann"]
    assert all(row["asset_url"].startswith(site.web_url) for row in rows)


def test_what_is_searched_for_is_found_from_any_page(site: Site, browser: Browser) -> None:
    site.web()
    made = site.create(PICTURE)
    site.dashboard()
    with open_page(browser, f"{site.dashboard_url}/system") as page:
        page.get_by_label(common.SEARCH).fill(made["taskId"])
        page.keyboard.press("Enter")
        expect(main(page).get_by_text(made["id"]).first).to_be_visible(timeout=PATIENCE_MS)
        assert f"id={made['taskId']}" in page.url


def is_wrong(answer: Response) -> bool:
    """Streamlit's script asks below the page's own path, too, where its server is."""
    return answer.status >= 400 and "/_stcore/" not in answer.url


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_no_page_calls_anybody_else_or_complains(
    site: Site, browser: Browser, place: Place
) -> None:
    site.web()
    site.create(PICTURE)
    site.dashboard()
    ours = (site.dashboard_url, site.web_url, "data:", "blob:")
    strangers, complaints = [], []
    context = browser.new_context()
    context.on("request", lambda request: strangers.append(request.url))
    page = context.new_page()
    page.on("response", lambda answer: complaints.append(answer.url) if is_wrong(answer) else None)
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.goto(f"{site.dashboard_url}/{place.url_path}")
    settle(page)
    context.close()
    assert [url for url in strangers if not url.startswith(ours)] == []
    assert complaints == []
