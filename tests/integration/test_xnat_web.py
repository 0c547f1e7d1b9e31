"""The page in a real browser: one logs in, finds a scan and turns its slices."""

import io
import re
import secrets

import pydicom
import pytest
from playwright.async_api import async_playwright, expect

from infra.parts.xnat import ADMIN
from tests.integration.xnat_ground import CT, Client, study, zip_of

pytestmark = pytest.mark.integration

EVIL = "<img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture
def admin(xnat):
    with Client(xnat) as client:
        yield client


@pytest.fixture
def project(admin):
    name = admin.new_project()
    assert admin.import_zip(name, zip_of(*slices()), subject="anna", session="visit").status_code == 200
    return name


def slices():
    """Return three CT slices that differ."""
    for number, content in enumerate(study(51, slices=3, source=CT), 1):
        dataset = pydicom.dcmread(io.BytesIO(content))
        pixels = dataset.pixel_array.copy()
        pixels[:20, : 20 * number] = 4_000
        dataset.PixelData = pixels.tobytes()
        dataset.SeriesDescription = EVIL
        written = io.BytesIO()
        dataset.save_as(written)
        yield written.getvalue()


@pytest.fixture
async def page():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        opened = await browser.new_page()
        opened.alerts, opened.errors = [], []
        opened.on("dialog", lambda dialog: opened.alerts.append(dialog.message))
        opened.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
        yield opened
        await browser.close()


async def log_in(page, xnat, login, password):
    await page.goto(xnat.url)
    await page.get_by_label("User name").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def width_of(image):
    """Return the picture's own width once it is there."""
    loaded = "if (!image.complete) await new Promise(done => image.onload = done)"
    return await image.evaluate(f"async image => {{ {loaded}; return image.naturalWidth }}")


async def drawn(image):
    """Return the picture's pixels as the browser shows them."""
    await width_of(image)
    return await image.screenshot()


async def test_one_logs_in_and_looks_through_a_scan(xnat, project, page):
    await log_in(page, xnat, ADMIN, xnat.password)
    await page.get_by_role("link", name=project).click()
    await page.get_by_role("link", name="visit").click()
    await page.get_by_role("link", name="1", exact=True).click()
    image, slider = page.locator("#slice"), page.get_by_label("Slice")
    assert await width_of(image) == 128
    await expect(page.locator("#said")).to_have_text("Slice 2 of 3")
    second = await drawn(image)
    await slider.fill("3")
    await expect(image).to_have_attribute("alt", "Slice 3 of 3")
    assert await drawn(image) != second
    before = await drawn(image)
    await page.get_by_label("Window").select_option("Lung")
    await expect(image).to_have_attribute("src", holding("window=-600%2C1500"))
    assert await drawn(image) != before


def holding(text):
    return re.compile(re.escape(text))


async def test_keys_turn_slices(xnat, project, page):
    await log_in(page, xnat, ADMIN, xnat.password)
    await page.goto(f"{xnat.url}/web/projects/{project}/sessions/visit/scans/1")
    said = page.locator("#said")
    for key, number in {"Home": 1, "ArrowDown": 2, "End": 3, "ArrowRight": 3, "ArrowUp": 2}.items():
        await page.keyboard.press(key)
        await expect(said).to_have_text(f"Slice {number} of 3")


async def test_it_works_without_the_script(xnat, project, page):
    await page.route("**/*.js", lambda route: route.abort())
    await log_in(page, xnat, ADMIN, xnat.password)
    await page.goto(f"{xnat.url}/web/projects/{project}/sessions/visit/scans/1?slice=3&window=40,400")
    assert await width_of(page.locator("#slice")) == 128
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#said")).to_have_text("Slice 3 of 3")


async def test_markup_in_a_description_is_text(xnat, project, page):
    await log_in(page, xnat, ADMIN, xnat.password)
    await page.goto(f"{xnat.url}/web/projects/{project}/sessions/visit")
    await expect(page.get_by_text(EVIL)).to_be_visible()
    assert await page.locator("main b").count() == 0
    assert (page.alerts, page.errors) == ([], [])


async def test_a_project_of_others_is_not_there(xnat, admin, project, page):
    with admin.new_user() as somebody:
        await log_in(page, xnat, *somebody.auth)
        await expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        assert project not in await page.content()
        for path in ("", "/sessions/visit", "/sessions/visit/scans/1", "/sessions/visit/scans/1/slices/1.png"):
            answer = await page.goto(f"{xnat.url}/web/projects/{project}{path}")
            assert answer.status == 404


async def test_a_wrong_password_is_said_and_a_logout_is_one(xnat, project, page):
    await log_in(page, xnat, ADMIN, secrets.token_hex(4))
    await expect(page.get_by_role("alert")).to_have_text("Name and password are not known here.")
    await log_in(page, xnat, ADMIN, xnat.password)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.goto(f"{xnat.url}/web/projects/{project}")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_everything_has_a_name_and_the_policy_is_strict(xnat, project, page):
    await log_in(page, xnat, ADMIN, xnat.password)
    answer = await page.goto(f"{xnat.url}/web/projects/{project}/sessions/visit/scans/1")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    unnamed = "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).length"
    assert await page.evaluate(unnamed) == 0
    assert await page.locator("h1").count() == 1
    assert await page.locator("html").get_attribute("lang") == "en"
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
