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


def test_names_of_labels_are_no_paths() -> None:
    facts = {"label_names": ["/kind"], "label_values": [["/m/01g317", "~3", "/"]], "held_out": [{"/kind": "/m/01g317"}]}
    assert without_machine_paths({"facts": facts, "source": "/data"}) == {"facts": facts, "source": "data"}
