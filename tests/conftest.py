"""Shared fixtures and checks: one thread, a seed, tiny facts, parts by name, a browser, a web server."""

import shutil
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from tests.web_server import WebServer, handler
from vaeline.data import web
from vaeline.models.contracts import Context
from vaeline.study import parts
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# They run first, in this order, so that the workers of xdist end together with short tests.
LONGEST = (
    "tests/workflow/test_end_to_end.py",
    "tests/campaign",
    "tests/workflow/test_bridge.py",
    "tests/workflow",
    "tests/pipeline_steps/test_swapped_files.py",
    "tests/test_every_entry.py",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--own-parts", action="store_true", help="run the tests of the project's own parts only")


def pytest_configure(config: pytest.Config) -> None:
    """Print which own parts are tested, or refuse to run without any. Workers of xdist print nothing."""
    if not config.getoption("--own-parts") or hasattr(config, "workerinput"):
        return
    try:
        parts.check_own()
        own = [parts.shown_file(family, name) for family, name in own_parts()]
    except UserError as error:
        raise pytest.UsageError(str(error)) from error
    if not own:
        raise pytest.UsageError(f"there are no parts in {parts.OWN}/<family>; docs/own_parts.md says how to write one")
    print(f"checking: {', '.join(own)}", flush=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the sentence of an error that is written for the user in the place of its traceback, to the author of a part."""
    report = yield
    if item.config.getoption("--own-parts") and call.excinfo and isinstance(call.excinfo.value, UserError):
        report.longrepr = str(call.excinfo.value)
    return report


def own_parts() -> list[tuple[str, str]]:
    """The family and the name of each of the project's own parts."""
    return [(family, name) for family in parts.OWN_FAMILIES for name in parts.own(family)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--own-parts"):
        items[:] = of_own_parts(items)
    items.sort(
        key=lambda item: next((at for at, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))
    )


def of_own_parts(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests that are given the name of one of the project's own parts."""
    own = {name for _, name in own_parts()}
    return [item for item in items if isinstance(item, pytest.Function) and own & given_to(item)]


def given_to(item: pytest.Function) -> set[object]:
    """The words among the parameters of a test."""
    given = item.callspec.params.values() if hasattr(item, "callspec") else []
    return {word for each in given for word in (each if isinstance(each, tuple) else [each]) if isinstance(word, str)}


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Processes that a test starts inherit whether Ctrl-C is ignored, as after an interrupted step or in a shell's background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def context() -> Context:
    """Grey images of 8x8, a latent of 2, a condition of 3."""
    return Context((1, 8, 8), (2,), encoder_condition=3, decoder_condition=3, prior_condition=3, training_images=100)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The installed Chromium. The scope is a module because its driver keeps an event loop, in which Snakemake cannot start one."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright, which drives a browser, is not installed"
    )
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is no browser here; one of {', '.join(CHROMIUM)} is needed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])  # root has no sandbox
        yield started
        started.close()


@pytest.fixture
def web_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A server of files, whose plain addresses are asked as if they were encrypted, and without a wait between two tries."""
    (tmp_path / "served").mkdir()
    server = WebServer(tmp_path / "served")
    monkeypatch.setattr(web, "SCHEMES", ["http://"])
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(server)) as http:
        server.address = f"http://127.0.0.1:{http.server_port}/"
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        http.shutdown()


@pytest.fixture
def write_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Path]:
    """Writes the source of one of the project's own parts, `(family, name, source)`; the project has no others."""
    package = f"own_{tmp_path.name}"
    monkeypatch.setattr(parts, "OWN", package)
    monkeypatch.setattr(parts, "own_folder", lambda family: tmp_path / package / family)
    monkeypatch.syspath_prepend(tmp_path)

    def write(family: str, name: str, source: str) -> Path:
        path = tmp_path / package / family / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    return write


@pytest.fixture
def write_part(write_own: Callable[[str, str, str], Path]) -> Callable[[str, str], PartOptions]:
    """Writes the source of a part `mine` of the project's own, `(family, source)`, and returns its options."""

    def write(family: str, source: str) -> PartOptions:
        write_own(family, "mine", source)
        return parts.validate(family, {"name": "mine"})

    return write


def every(family: str) -> pytest.MarkDecorator:
    """Parametrize `name` over a family's parts found on disk, so that a new file is tested at once."""
    return pytest.mark.parametrize("name", parts.names(family))


def scramble(module: torch.nn.Module, std: float = 0.5) -> torch.nn.Module:
    """Give every parameter a random value. A part that starts as the identity would pass tests it should fail."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return module


def assert_finite(flow: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], z: Tensor, weights: Tensor) -> None:
    """Assert that a flow's output, its log-determinant, and the gradients of both by z and by the weights are finite."""
    u, log_det = flow(z, weights)
    assert u.isfinite().all()
    assert log_det.isfinite().all()
    (u.sum() + log_det.sum()).backward()
    assert z.grad.isfinite().all()
    assert weights.grad.isfinite().all()


def assert_log_det(flow: torch.nn.Module, z: Tensor, context: Tensor) -> None:
    """Assert that the log-determinant of each row of z, float64, matches autograd's Jacobian."""
    _, log_det = flow(z, context)
    for row, its_context, expected in zip(z, context, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda value, context=its_context: flow(value[None], context[None])[0][0], row
        )
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, expected, atol=1e-6, rtol=0)
