"""The explorer in a browser, used by mouse and keyboard, and checked by the pixels it shows."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from PIL import Image

from tests.explorer.conftest import make

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Response

ROOT = Path(__file__).parents[2]
CONTROLS = ("button", "checkbox", "combobox", "slider", "textbox")
# A hash of the pixels of each picture.
PIXELS = """images => images.filter(image => image.complete && image.naturalWidth).map(image => {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  let hash = 2166136261;
  for (const byte of pen.getImageData(0, 0, canvas.width, canvas.height).data) hash = Math.imul(hash ^ byte, 16777619);
  return hash;
})"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """Address of the page, served by the command."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline_steps.explore", "--no-open", "--port", "0"],
        cwd=project, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    until(lambda: answers(found[0]), seconds=120)
    yield found[0]
    process.terminate()
    process.wait(10)


def answers(address: str, host: str | None = None) -> int:
    """HTTP status of the page; 0 if there is no server."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host} if host else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "the condition never held"
        time.sleep(0.02)


def is_whole(response: "Response") -> bool:
    """Whether a request succeeded, and gave CSS if it is of a stylesheet."""
    style = response.request.resource_type == "stylesheet"
    return response.status < 400 and (not style or "text/css" in response.headers.get("content-type", ""))


class PageDriver:
    """Reads and uses the page as a person does."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def run(self, number: int) -> "Locator":
        return self.page.get_by_role("article", name=f"Run {number}", exact=True)

    def pixels(self, number: int, caption: str = "") -> tuple[int, ...]:
        """Hashes of a run's pictures, of those with a caption that begins so."""
        found = self.run(number).locator("figure").filter(has_text=re.compile(f"^{caption}")).locator("img")
        return tuple(found.evaluate_all(PIXELS))

    def both(self) -> tuple[tuple[int, ...], ...]:
        return self.pixels(1), self.pixels(2)

    def changes(self, number: int = 1, caption: str = "") -> Callable[[], None]:
        """Returns a function that waits until pictures differ from the present ones."""
        before = self.pixels(number, caption)
        return lambda: self.until(lambda: self.pixels(number, caption) not in (before, ()))

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(1500):
            if holds():
                return
            self.page.wait_for_timeout(20)
        pytest.fail("the condition never held")

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture
def driver(browser: "Browser", address: str) -> Iterator[PageDriver]:
    """A page that has drawn. It must log no error and make requests to its own server only."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("response", lambda response: faults.append(response.url) if not is_whole(response) else None)
    page.goto(address)
    shown = PageDriver(page)
    page.get_by_text("Drawn in").wait_for()
    yield shown
    assert not faults
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    assert asked and not [url for url in asked if not url.startswith(own)]
    page.close()


def test_a_label_is_switched_and_cleared_by_keyboard(driver: PageDriver) -> None:
    as_it_came = driver.both()
    assert len(as_it_came[0]) == 9
    box = driver.page.get_by_role("checkbox", name="dark")
    assert box.get_attribute("aria-checked") == "mixed"
    box.focus()
    for state in ("true", "false"):
        changed = driver.changes()
        driver.page.keyboard.press("Space")
        changed()
        assert box.get_attribute("aria-checked") == state
        assert driver.pixels(2) == as_it_came[1]  # a model without labels
    driver.page.keyboard.press("Space")
    driver.until(lambda: driver.both() == as_it_came)
    changed = driver.changes()
    driver.page.get_by_role("group", name="shape").get_by_role("button", name="odd").click()
    changed()
    assert driver.run(1).locator("figcaption").first.inner_text().startswith("shape odd")
    driver.page.get_by_role("button", name="Clear all labels").click()
    driver.until(lambda: driver.both() == as_it_came)


def test_labels_that_never_occur_together_are_marked(driver: PageDriver) -> None:
    mark = driver.page.get_by_text("No training image has shape=odd with dark=yes; a model has learned nothing")
    changed = driver.changes()
    driver.page.get_by_role("checkbox", name="dark").click()  # some of the copied shapes are odd
    changed()
    driver.page.get_by_role("group", name="shape").get_by_role("button", name="odd").click()
    mark.wait_for()
    driver.page.get_by_role("group", name="shape").get_by_role("button", name="round").click()
    mark.wait_for(state="hidden")


def test_a_latent_moves_in_one_run_or_all(driver: PageDriver) -> None:
    as_drawn = driver.both()
    slider = driver.page.get_by_role("slider", name="Latent 1", exact=True)
    slider.focus()
    changed = driver.changes(), driver.changes(2)
    for _ in range(12):
        driver.page.keyboard.press("ArrowRight")
    for each in changed:
        each()
    assert slider.get_attribute("aria-valuetext") == "+1.2 sd"
    driver.page.get_by_role("button", name="Reset latents").click()
    driver.until(lambda: driver.both() == as_drawn)
    driver.choose("Sliders move", "run 2, plain, seed 0")
    driver.page.get_by_text("The latents of plain that vary most").wait_for()
    driver.page.get_by_role("slider", name="Latent 1", exact=True).focus()
    changed_last = driver.changes(2)
    driver.page.keyboard.press("Home")
    changed_last()
    assert driver.pixels(1) == as_drawn[0]


def test_a_seed_repeats_its_draws_and_bad_seeds_are_refused_beside_the_field(driver: PageDriver) -> None:
    first, changed = driver.both(), driver.changes()
    driver.page.get_by_role("button", name="New noise").click()
    changed()
    field = driver.page.get_by_label("Noise seed")
    for bad in ("seven", "99999999999999999999", ""):
        before = driver.both()
        driver.type("Noise seed", bad)
        problem = driver.page.get_by_role("alert").get_by_text(f"is {bad!r}" if bad else "is empty")
        problem.wait_for()
        assert "The noise seed is" in problem.inner_text() and "enter a whole number from 0 to" in problem.inner_text()
        assert field.get_attribute("aria-invalid") == "true"
        assert field.get_attribute("aria-describedby") == problem.get_attribute("id")
        assert driver.both() == before
    driver.type("Noise seed", "0")
    driver.until(lambda: driver.both() == first)
    driver.until(lambda: not driver.page.get_by_role("alert").is_visible())


def test_runs_are_added_changed_and_removed(driver: PageDriver) -> None:
    """The same run shows the same draws in every place."""
    first, changed = driver.pixels(1), driver.changes(2)
    driver.choose("Run 2: variant", "large")
    changed()
    large = driver.pixels(2)
    assert driver.pixels(1) == first != large
    driver.page.get_by_role("button", name="Add a run").click()
    driver.until(lambda: len(driver.pixels(3)) == 9)
    driver.choose("Run 3: variant", "small")
    driver.until(lambda: driver.pixels(3) == first)
    driver.choose("Run 3: seed", "1")
    driver.until(lambda: driver.pixels(3) not in (first, ()))
    driver.page.get_by_role("button", name="Remove run 1", exact=True).click()
    driver.until(lambda: driver.pixels(1) == large)
    assert driver.run(3).count() == 0
    assert "large seed 1 (not trained)" in driver.page.inner_text("header")


def test_a_test_image_is_edited_by_every_run(driver: PageDriver) -> None:
    driver.page.get_by_role("button", name="Test image", exact=True).click()
    driver.page.get_by_text("Each model encodes test image 0 (").wait_for()
    assert driver.pixels(1, "Original") == driver.pixels(2, "Original")
    assert driver.pixels(1, "Edit") == driver.pixels(1, "Reconstruction") != driver.pixels(1, "Original")
    original, reconstruction = driver.changes(1, "Original"), driver.changes(1, "Reconstruction")
    driver.type("Test image number", "39")
    original()
    reconstruction()
    driver.type("Test image number", "40")
    driver.page.get_by_role("alert").get_by_text("There is no test image 40; choose one from 0 to 39.").wait_for()
    driver.type("Test image number", "39")
    before = driver.pixels(1, "Reconstruction")
    driver.page.get_by_role("group", name="shape").get_by_role("button", name="odd").click()
    driver.until(lambda: driver.pixels(1, "Edit") not in (before, ()))
    assert driver.pixels(1, "Reconstruction") == before


def test_the_address_opens_the_same_page_again(driver: PageDriver, browser: "Browser") -> None:
    page = driver.page
    page.get_by_role("button", name="Interpolation").click()
    driver.type("Last test image number", "5")
    page.get_by_role("checkbox", name="dark").click()
    driver.choose("Add a direction", "shape odd")
    slider = page.get_by_role("slider", name="Towards shape odd")
    slider.focus()
    page.keyboard.press("End")
    page.get_by_text("+3 times the direction of shape odd").wait_for()
    driver.until(lambda: page.url.endswith("&show=interpolation&to=5&label.dark=yes&direction.shape=odd:3.0"))
    before = driver.both()
    page.reload()
    driver.until(lambda: driver.both() == before)
    assert slider.get_attribute("aria-valuetext") == "+3.0 ×"
    assert page.get_by_label("Last test image number").input_value() == "5"
    assert page.get_by_role("checkbox", name="dark").get_attribute("aria-checked") == "true"
    page.goto(page.url.replace("plain/seed-0", "none/seed-0"))
    page.get_by_role("alert").get_by_text(
        "This address cannot be opened: There is no trained run of 'none'; choose one of: small, large, plain."
    ).wait_for()
    driver.until(lambda: len(driver.pixels(1)) == 9)  # what the page opens with


def test_a_saved_picture_restores_its_settings(driver: PageDriver, project: Path) -> None:
    changed = driver.changes()
    driver.type("Noise seed", "41")
    changed()
    for control in (
        driver.page.get_by_role("checkbox", name="dark"),
        driver.page.get_by_role("group", name="shape").get_by_role("button", name="odd"),
    ):
        changed = driver.changes()
        control.click()
        changed()
    as_saved = driver.both()
    driver.page.get_by_role("button", name="Save picture").click()
    driver.page.get_by_text("Saved as results/tiny/explored/draws-small_0-plain_0-").wait_for()
    (saved,) = (project / "results/tiny/explored").glob("*.png")
    with Image.open(saved) as image:
        settings = json.loads(image.text["vaeline"])["settings"]
    assert settings["noise"] == 41 and settings["labels"] == {"dark": "yes", "shape": "odd"}
    changed = driver.changes()
    driver.page.get_by_role("button", name="Clear all labels").click()
    changed()
    box = driver.page.get_by_role("checkbox", name="dark")
    driver.until(lambda: box.get_attribute("aria-checked") == "mixed")
    changed = driver.changes()
    driver.type("Noise seed", "2")
    changed()
    driver.choose("Open picture", saved.name)
    driver.until(lambda: driver.both() == as_saved)
    assert driver.page.get_by_label("Noise seed").input_value() == "41"
    assert box.get_attribute("aria-checked") == "true"


def test_models_without_labels_show_no_label_controls(driver: PageDriver) -> None:
    box, none = (
        driver.page.get_by_role("checkbox", name="dark"),
        driver.page.get_by_text("No model here uses labels"),
    )
    assert box.is_visible() and not none.is_visible()
    driver.choose("Run 1: variant", "plain")
    none.wait_for()
    assert not box.is_visible() and driver.pixels(1) == driver.pixels(2)


def test_every_control_has_a_name(driver: PageDriver) -> None:
    for what in ("Test image", "Interpolation", "Draws"):
        driver.page.get_by_role("button", name=what, exact=True).click()
        controls = [line.strip("- ") for line in driver.page.locator(".page").aria_snapshot().splitlines()]
        controls = [line for line in controls if line.startswith(CONTROLS)]
        assert len(controls) > 10
        assert not [line for line in controls if not re.match(r'\w+ "[^"]+"', line)]


def test_a_phone_needs_no_sideways_scrolling_and_stacks_runs(driver: PageDriver) -> None:
    driver.page.set_viewport_size({"width": 390, "height": 844})
    assert driver.page.evaluate("document.documentElement.scrollWidth") <= 390
    first, second = (driver.run(number).bounding_box() for number in (1, 2))
    assert first and second and second["x"] == first["x"] and second["y"] > first["y"]


def test_the_report_is_served_in_a_sandbox_if_there_is_one(address: str, project: Path, browser: "Browser") -> None:
    """Its scripts have no origin, so that they cannot reach the explorer; its link to the explorer works."""
    assert ask(address, "/report.html").status == 404
    link = f"<a href='{address}/?run=large/seed-0'>explorer</a><script>document.title = self.origin</script>"
    (project / "results/tiny/report.html").write_text(f"<!doctype html><link rel=icon href=data:,>{link}")
    page = browser.new_page()
    page.goto(address)
    page.get_by_role("link", name="Report of this study").click()
    page.get_by_role("link", name="explorer").wait_for()
    assert page.title() == "null"
    page.get_by_role("link", name="explorer").click()
    page.get_by_role("article", name="Run 1").get_by_text("large").wait_for()
    page.close()
    (project / "results/tiny/report.html").unlink()


def test_a_foreign_host_name_is_refused(address: str) -> None:
    assert answers(address) == 200 and answers(address, "somewhere.example") == 400


def ask(address: str, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    """The answer to a request; a header may be named with _ for -."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.close()
        return answer
    finally:
        connection.close()


CONNECTION = "/_nicegui_ws/socket.io/?EIO=4&transport="
FILES = f"/_nicegui/{version('nicegui')}"
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}  # fmt: skip
FOREIGN = ("http://somewhere.example", "https://127.0.0.1", "http://127.0.0.1:1", "http://localhost", "null", "")


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_website_is_refused(address: str, origin: str) -> None:
    for path in ("/", f"{CONNECTION}websocket"):
        answer = ask(address, path, Origin=origin)
        assert answer.status == 403 and not [
            name for name in answer.headers if name.lower().startswith("access-control")
        ]
    assert ask(address, f"{CONNECTION}websocket", Origin=origin, **UPGRADE).status == 403


def test_the_own_page_may_connect(address: str) -> None:
    own = address.replace("127.0.0.1", "localhost")
    for origin in (address, own):
        host = origin.removeprefix("http://")
        assert ask(address, "/", Origin=origin, Host=host).status == 200
        assert ask(address, f"{CONNECTION}websocket", Origin=origin, Host=host, **UPGRADE).status == 101
    rebound = "http://somewhere.example"
    assert ask(address, f"{CONNECTION}websocket", Origin=rebound, Host="somewhere.example", **UPGRADE).status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/other", "/page.css/", "/docs", "/openapi.json", "/..%2f", "//", "/%00", "/_nicegui", "/_nicegui/", "/_nicegui/x",
        f"{FILES}/", f"{FILES}/static", f"{FILES}/static/", f"{FILES}/static/none.js", f"{FILES}/libraries/none",
        f"{FILES}/static/../../../etc/passwd", f"{FILES}/static/%2e%2e/nicegui.py", f"{FILES}/static/..%2fnicegui.py",
        f"{FILES}/static//etc/passwd", f"{FILES}/static/a%00b", f"{FILES}/esm/x/a%00b", "/_nicegui_ws/", "/_nicegui_ws/socket.io",
    ],
)  # fmt: skip
def test_an_unknown_path_is_not_found(address: str, path: str) -> None:
    assert ask(address, path).status == 404


@pytest.mark.parametrize("name", ["%00", "a" * 5000])
def test_a_name_that_no_file_has_is_not_found(address: str, name: str) -> None:
    with urlopen(address) as page:
        folders = re.findall(rf"{FILES}/esm/\w+/", page.read().decode())
    assert folders and ask(address, folders[0] + name).status == 404


@pytest.mark.parametrize(
    "query",
    ["a=b/..", "a=%00&%ff=%", "explorer=3&self=x", "a" * 20_000, "&".join(["a=1"] * 2000), "run=" + "/seed-1," * 5000],
)
def test_no_query_ends_the_page(address: str, query: str) -> None:
    assert ask(address, f"/?{query}").status == 200
    assert ask(address, "/favicon.ico").status == ask(address, "/page.css").status == 200


def test_the_connection_takes_websockets_only(address: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = ask(address, f"{CONNECTION}polling", method, Origin=address)
        assert answer.status == 404 and "access-control-allow-origin" not in answer.headers


def test_another_website_may_link_to_the_page_but_not_load_or_frame_it(address: str) -> None:
    for site in ("cross-site", "same-site"):
        asked = {
            dest: ask(address, "/", Sec_Fetch_Site=site, Sec_Fetch_Dest=dest).status
            for dest in ("document", "iframe", "image", "script", "empty")
        }
        assert asked.pop("document") == 200 and set(asked.values()) == {403}


def test_requests_with_a_body_and_other_methods_are_refused(address: str) -> None:
    assert ask(address, "/", Content_Length="60000000").status == 413
    assert ask(address, "/", Content_Length="1" * 5000).status in (400, 413)
    assert ask(address, "/", Transfer_Encoding="chunked").status == 413  # before a byte of it is read
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert {ask(address, path, method).status for path in ("/", "/page.css")} == {405}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not list its sockets in /proc")
def test_the_server_listens_on_loopback_only(address: str) -> None:
    port = int(address.rpartition(":")[2])
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    sockets = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = [local for _, local, _, state, *_ in sockets if state == "0A" and local.endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]  # 127.0.0.1, its bytes reversed
