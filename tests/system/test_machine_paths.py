"""What others get names no path of this machine."""

from vaeline.system.machine_paths import without_machine_paths


def test_a_path_is_its_last_name() -> None:
    given = {
        "source": "/home/me/data", "weights": ["~/w.pth", ("../x",)], "range": [0, 1], "name": "a/b", "none": None, "said": "... and /home"
    }  # fmt: skip
    assert without_machine_paths(given) == {
        "source": "data", "weights": ["w.pth", ["x"]], "range": [0, 1], "name": "a/b", "none": None, "said": "... and /home"
    }  # fmt: skip
    assert given["source"] == "/home/me/data"
