"""The explorer as a person has it: in a browser, by keyboard, judged by the pixels that are seen."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.explorer.conftest import make

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

ROOT = Path(__file__).parents[2]
CONTROLS = ("button", "checkbox", "combobox", "slider", "textbox")
# A hash of what is seen of a picture.
PIXELS = """image => {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight), pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  let hash = 2166136261;
  for (const byte of pen.getImageData(0, 0, canvas.width, canvas.height).data) hash = Math.imul(hash ^ byte, 16777619);
  return hash;
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """Of the page, served by the command."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline_steps.explore", "--no-open", "--port", "0"],
        cwd=project, env=environment | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, said
    until(lambda: answers(found[0]), seconds=120)
    yield found[0]
    process.terminate()
    process.wait(60)


def answers(address: str, host: str | None = None) -> int:
    """The status of the page; 0 where nobody answers."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", "/", headers={"Host": host} if host else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait for what comes."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


def is_whole(response: "Response") -> bool:
    """Whether what was asked for came, and is a style where one was asked for: an unknown address is answered with the page."""
    style = response.request.resource_type == "stylesheet"
    return response.status < 400 and (not style or "text/css" in response.headers.get("content-type", ""))


class Seen:
    """The page, by what a person sees and does."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def pixels(self, side: str, what: str = "Draws") -> int:
        return (
            self.page.get_by_role("article", name=f"{side} side").locator(f"[data-picture='{what}']").evaluate(PIXELS)
        )

    def sides(self) -> tuple[int, int]:
        return self.pixels("Left"), self.pixels("Right")

    def changes(self, side: str = "Left", what: str = "Draws") -> Callable[[], None]:
        """Waits until a picture is another than now."""
        before = self.pixels(side, what)
        return lambda: self.until(lambda: self.pixels(side, what) != before)

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(3000):
            if holds():
                return
            self.page.wait_for_timeout(20)
        pytest.fail("it did not come")

    def type(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture
def seen(browser: "Browser", address: str) -> Iterator[Seen]:
    """A page that has drawn, that logs no error, and that asks for nothing but what its server has."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("response", lambda response: faults.append(response.url) if not is_whole(response) else None)
    page.goto(address)
    shown = Seen(page)
    page.get_by_text("Drawn in").wait_for()
    yield shown
    assert not faults
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    assert asked and not [url for url in asked if not url.startswith(own)]
    page.close()


def test_a_label_is_switched_and_taken_back_by_keyboard(seen: Seen) -> None:
    as_it_came = seen.sides()
    box = seen.page.get_by_role("checkbox", name="dark")
    assert box.get_attribute("aria-checked") == "mixed"
    box.focus()
    for state in ("true", "false"):
        changed = seen.changes()
        seen.page.keyboard.press("Space")
        changed()
        assert box.get_attribute("aria-checked") == state
        assert seen.pixels("Right") == as_it_came[1]  # a model without labels
    seen.page.keyboard.press("Space")
    seen.until(lambda: seen.sides() == as_it_came)
    changed = seen.changes()
    seen.page.get_by_role("group", name="shape").get_by_role("button", name="odd").click()
    changed()
    seen.page.get_by_role("button", name="All as they come").click()
    seen.until(lambda: seen.sides() == as_it_came)


def test_a_latent_is_moved_by_keyboard_on_one_side_or_both(seen: Seen) -> None:
    as_drawn = seen.sides()
    slider = seen.page.get_by_role("slider", name="Latent 1")
    slider.focus()
    changed = seen.changes(), seen.changes("Right")
    for _ in range(12):
        seen.page.keyboard.press("ArrowRight")
    for each in changed:
        each()
    assert slider.get_attribute("aria-valuetext") == "+1.2 sd"
    seen.page.get_by_role("button", name="Put all back").click()
    seen.until(lambda: seen.sides() == as_drawn)
    seen.page.get_by_role("group", name="Whose latents").get_by_role("button", name="Right").click()
    seen.page.get_by_role("slider", name="Latent 1").focus()
    changed_right = seen.changes("Right")
    seen.page.keyboard.press("Home")
    changed_right()
    assert seen.pixels("Left") == as_drawn[0]


def test_a_seed_brings_back_what_was_seen_and_a_bad_one_is_a_sentence(seen: Seen) -> None:
    first, changed = seen.sides(), seen.changes()
    seen.page.get_by_role("button", name="New noise").click()
    changed()
    alert, field = seen.page.get_by_role("alert"), seen.page.get_by_label("Noise seed")
    for bad in ("seven", "99999999999999999999", ""):
        before = seen.sides()
        seen.type("Noise seed", bad)
        alert.get_by_text(f"is {bad!r}" if bad else "is empty").wait_for()
        assert "enter a whole number from 0 to" in alert.inner_text() and field.get_attribute("aria-invalid") == "true"
        assert seen.sides() == before
    seen.type("Noise seed", "0")
    seen.until(lambda: seen.sides() == first)
    seen.until(lambda: not alert.is_visible())


def test_two_variants_have_the_same_draw(seen: Seen) -> None:
    left, changed = seen.pixels("Left"), seen.changes("Right")
    seen.choose("Right variant", "large")
    changed()
    assert seen.pixels("Left") == left != seen.pixels("Right")
    seen.choose("Right variant", "small")
    seen.until(lambda: seen.pixels("Right") == left)
    seen.choose("Right run", "seed 1")
    seen.until(lambda: seen.pixels("Right") != left)
    assert "large seed 1 (not trained)" in seen.page.inner_text("header")


def test_a_test_image_is_edited_on_both_sides(seen: Seen) -> None:
    seen.page.get_by_role("button", name="Test image").click()
    seen.page.get_by_text("Each side encodes test image 0").wait_for()
    assert seen.pixels("Left", "Original") == seen.pixels("Right", "Original")
    assert seen.pixels("Left", "Edit") == seen.pixels("Left", "Reconstruction") != seen.pixels("Left", "Original")
    original, reconstruction = seen.changes(what="Original"), seen.changes(what="Reconstruction")
    seen.type("Number of the test image", "39")
    original()
    reconstruction()
    seen.type("Number of the test image", "40")
    seen.page.get_by_role("alert").get_by_text("There is no test image 40; there are 0 to 39.").wait_for()
    seen.type("Number of the test image", "39")
    before = seen.pixels("Left", "Reconstruction")
    seen.page.get_by_role("group", name="shape").get_by_role("button", name="odd").click()
    seen.until(lambda: seen.pixels("Left", "Edit") != before)
    assert seen.pixels("Left", "Reconstruction") == before


def test_a_saved_picture_brings_its_settings_back(seen: Seen, project: Path) -> None:
    changed = seen.changes()
    seen.type("Noise seed", "41")
    changed()
    for control in (
        seen.page.get_by_role("checkbox", name="dark"),
        seen.page.get_by_role("group", name="shape").get_by_role("button", name="odd"),
    ):
        changed = seen.changes()
        control.click()
        changed()
    as_saved = seen.sides()
    seen.page.get_by_role("button", name="Save the picture").click()
    seen.page.get_by_text("Saved as results/tiny/explored/draws-small_0-plain_0-").wait_for()
    (saved,) = (project / "results/tiny/explored").glob("*.png")
    with Image.open(saved) as image:
        settings = json.loads(image.text["vaeline"])["settings"]
    assert settings["noise"] == 41 and settings["labels"] == {"dark": "yes", "shape": "odd"}
    changed = seen.changes()
    seen.page.get_by_role("button", name="All as they come").click()
    changed()
    box = seen.page.get_by_role("checkbox", name="dark")
    seen.until(lambda: box.get_attribute("aria-checked") == "mixed")
    changed = seen.changes()
    seen.type("Noise seed", "2")
    changed()
    seen.choose("Open saved", saved.name)
    seen.until(lambda: seen.sides() == as_saved)
    assert seen.page.get_by_label("Noise seed").input_value() == "41"
    assert box.get_attribute("aria-checked") == "true"


def test_models_without_labels_have_none_to_switch(seen: Seen) -> None:
    box, none = (
        seen.page.get_by_role("checkbox", name="dark"),
        seen.page.get_by_text("Neither of these models has labels"),
    )
    assert box.is_visible() and not none.is_visible()
    seen.choose("Left variant", "plain")
    none.wait_for()
    assert not box.is_visible() and seen.pixels("Left") == seen.pixels("Right")


def test_every_control_has_a_name(seen: Seen) -> None:
    for what in ("Test image", "Draws"):
        seen.page.get_by_role("button", name=what, exact=True).click()
        controls = [line.strip("- ") for line in seen.page.locator(".page").aria_snapshot().splitlines()]
        controls = [line for line in controls if line.startswith(CONTROLS)]
        assert len(controls) > 10
        assert not [line for line in controls if not re.match(r'\w+ "[^"]+"', line)]


def test_a_phone_shows_all_of_it_without_scrolling_sideways(seen: Seen) -> None:
    seen.page.set_viewport_size({"width": 390, "height": 844})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_another_name_for_this_machine_is_not_answered(address: str) -> None:
    assert answers(address) == 200 and answers(address, "somewhere.example") == 400


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not list its sockets in /proc")
def test_only_the_loopback_is_listened_on(address: str) -> None:
    port = int(address.rpartition(":")[2])
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    sockets = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = [local for _, local, _, state, *_ in sockets if state == "0A" and local.endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]  # 127.0.0.1, its bytes reversed
