"""A server that cannot be reached is told at once; what is only slow, or behind a proxy, is not taken for one."""

import socket

import pytest

from vaeline.system.reachable import unreachable

CLOSED = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        for each in (f"{name}_proxy", f"{name}_proxy".upper()):
            monkeypatch.delenv(each, raising=False)


def test_a_port_that_listens_is_reached_and_a_closed_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not unreachable(f"http://127.0.0.1:{server.getsockname()[1]}/api")
    assert unreachable(CLOSED)


def test_a_machine_without_a_network_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connect(to: tuple[str, int], patience: float) -> socket.socket:
        asked.append(to)
        raise socket.gaierror("Temporary failure in name resolution")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert unreachable("https://huggingface.co") and asked == [("huggingface.co", 443)]


def test_slow_networks_and_proxies_are_left_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert not unreachable(CLOSED)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert unreachable(CLOSED)

    def connect(to: tuple[str, int], patience: float) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert not unreachable(CLOSED)
