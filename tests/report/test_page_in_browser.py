"""The report in a browser, opened from disk without a network."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.made_up import study, write_run
from vaeline.report import compare, results
from vaeline.report import page as report
from vaeline.report.findings import Findings
from vaeline.report.plots.shared import contract, rendering
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.provenance import Provenance, Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DISTANCES = {"one": 9.0, "two": 2.0, "three": 5.0, "four": 7.0}
ATTACK = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of four variants; one leads in one metric, another in another."""
    folder = tmp_path_factory.mktemp("study")
    for seed in range(3):
        for variant, distance in DISTANCES.items():
            metrics = {"nll": 10 - distance + seed / 8, "fd_sample": distance}
            obeyed = {"condition_accuracy": {"value": 0.5, "by_label": {ATTACK: 0.25, "Male": 0.75}}}
            write_run(folder / variant / f"seed-{seed}", {**metrics, "condition_accuracy": 0.5}, obeyed)
    found = results.read(folder, of := study(tuple(DISTANCES), question=f"Is {ATTACK} shown?"))
    findings = Findings(found, compare.compare(found))
    plots = RenderedPlots(findings, contract.found())
    made_of = Provenance([Stage("train", "weights", 12, "")], {ATTACK: ATTACK}, {"Python": "3.11"})
    page = report.render(report.compose(of, plots, made_of))
    (folder / "report.html").write_text(page, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of nine variants, without its plots."""
    folder, names = (
        tmp_path_factory.mktemp("many"),
        [f"{kind}_{size}" for kind in ("conv", "mlp", "vq") for size in "abc"],
    )
    for place, variant in enumerate(names):
        for seed in range(2):
            metrics = {"nll": 1.0 + place + seed / 8, "fd_sample": 9.0 - place}
            write_run(folder / variant / f"seed-{seed}", metrics)
    found = results.read(folder, of := study(tuple(names), (0, 1)))
    findings = Findings(found, compare.compare(found))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("svg", "png"):
            patch.setattr(rendering, name, lambda _: b"<svg/>")
        page = report.render(report.compose(of, RenderedPlots(findings, contract.found()), Provenance([], {}, {})))
    (folder / "report.html").write_text(page, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture
def opened(browser: "Browser", written: Path) -> Iterator[Callable[..., "Page"]]:
    """Open the report. The test fails if the page logs a message or makes a request."""
    contexts, said, pages = [], [], set()

    def open_page(width: int = 1280, path: Path = written, **options: Any) -> "Page":
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda request: None if request.url.startswith("data:") else said.append(request.url))
        pages.add(path.as_uri())
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [words for words in said if words not in pages] == []


def variants(page: "Page") -> list[str]:
    return page.locator(".results thead .variant").first.locator("xpath=../..").locator(".variant").all_inner_texts()


def test_the_page_logs_nothing_and_makes_no_request(opened: Callable[..., "Page"]) -> None:
    page = opened()
    assert page.locator("h1").inner_text() == f"Is {ATTACK} shown?"
    assert all(page.evaluate("[...document.images].filter(i => i.src).map(i => i.naturalWidth > 0)"))


def test_variants_are_sorted_by_a_metric_the_better_first(opened: Callable[..., "Page"]) -> None:
    page = opened()
    sort = partial(page.get_by_role("button").filter(has_text="the variants by").filter, has_text="fd_sample")
    assert variants(page) == list(DISTANCES)
    row = page.locator(".results tbody tr", has_text="fd_sample").first
    sort().first.press("Enter")
    assert variants(page) == ["two", "three", "four", "one"]
    assert row.locator("td.number .value").all_inner_texts() == ["2", "5", "7", "9"]
    sort().first.press("Enter")
    assert variants(page) == ["one", "four", "three", "two"]


def test_variants_are_filtered_by_words_of_their_names(opened: Callable[..., "Page"], many: Path) -> None:
    page = opened(path=many)
    columns, rows = page.locator(".results thead .variant:visible"), page.locator("#runs tbody tr:visible")
    page.get_by_label("Show variants").focus()
    page.keyboard.type("VQ, conv_b")
    shown = ["conv_b", "vq_a", "vq_b", "vq_c"]
    assert columns.all_inner_texts() == shown and page.locator("#filtered").inner_text() == "4 of 9 variants"
    assert page.locator(".results tbody tr", has_text="nll").first.locator("td.number:visible").count() == 4
    assert rows.locator("th").all_inner_texts() == [name for name in shown for _ in range(2)]
    assert page.locator(".pictures figure .variant:visible").all_inner_texts() == shown * 2
    page.locator(".results .sort").first.press("Enter")
    page.locator(".results .sort").first.press("Enter")  # the worst first
    assert columns.all_inner_texts() == shown[::-1]
    page.get_by_label("Show variants").press("Escape")
    assert columns.count() == 9 and rows.count() == 18 and page.locator("#filtered").inner_text() == "9 variants"


def test_the_first_column_stays_in_view(opened: Callable[..., "Page"], many: Path) -> None:
    page = opened(width=700, path=many)
    for table in ("#table", "#runs"):
        cell = page.locator(f"{table} tbody tr:nth-child(2) th").first
        box = cell.bounding_box()
        page.locator(f"{table} .scroll").first.evaluate("each => { each.scrollLeft = 300; }")
        moved = cell.bounding_box()
        assert box and moved and moved["x"] == pytest.approx(box["x"], abs=1)


def test_few_variants_have_no_filter(opened: Callable[..., "Page"]) -> None:
    assert not opened().locator("#filter").count()


def test_runs_are_sorted_by_a_column(opened: Callable[..., "Page"]) -> None:
    page = opened()
    head, cells = (
        page.locator("#runs th", has_text="Negative log-likelihood"),
        page.locator("#runs tbody tr td[data-value]:nth-child(4)"),
    )
    head.get_by_role("button").click()
    values = [float(text) for text in cells.all_inner_texts()]
    assert values == sorted(values) and head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert [float(text) for text in cells.all_inner_texts()] == sorted(values, reverse=True)


def test_a_plot_enlarges_and_closes_by_keyboard(opened: Callable[..., "Page"]) -> None:
    page = opened()
    small = page.locator("#plot-switched img")
    small.press("Enter")
    large = page.locator("dialog img")
    assert large.is_visible() and large.get_attribute("src") == small.get_attribute("src")
    shown, wide = small.bounding_box(), large.bounding_box()
    assert shown and wide and wide["width"] > 1.2 * shown["width"]
    caption = page.locator("dialog p").bounding_box()
    assert caption and caption["y"] > wide["y"] + wide["height"] and caption["y"] + caption["height"] < 900
    page.keyboard.press("Escape")
    assert not large.is_visible()


def test_a_phone_needs_no_sideways_scrolling_and_names_the_winner(opened: Callable[..., "Page"]) -> None:
    page = opened(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    leader = page.locator(".results tr", has_text="fd_sample").first.locator(".leader")
    assert leader.is_visible() and "two 2" in leader.inner_text()
    assert not opened().locator(".leader").first.is_visible()


def test_the_summary_is_copied(opened: Callable[..., "Page"]) -> None:
    page = opened()
    page.get_by_text("Summary as text").click()
    page.get_by_role("button", name="Copy").first.click()
    assert page.evaluate("getSelection().toString()").startswith(f"tiny: Is {ATTACK} shown?")


def test_the_page_follows_the_dark_colour_scheme(opened: Callable[..., "Page"]) -> None:
    grounds = [
        opened(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    shades = [sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) for ground in grounds]
    assert shades[0] > 700 and shades[1] < 100


def test_the_page_is_complete_without_scripts(opened: Callable[..., "Page"]) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("#table .results").is_visible() and not page.locator(".sort").first.is_visible()
