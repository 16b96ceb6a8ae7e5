"""The examples of docs/in_python.md run, one after the other."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.test_notebook import write_project
from tests.made_up import write_run

PAGE = (Path(__file__).parents[2] / "docs/in_python.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 30), "grey").save("photo.jpg")
    pictures, edits, tables = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict = {}
    exec(compile(pictures, "in_python.md", "exec"), names)
    assert names["z"].shape == (1, 8)
    exec(compile(edits, "in_python.md", "exec"), names)
    assert names["way"].shape == (9, 8) and names["more"].shape == (8,)
    for name in ("way.png", "edited.png"):
        assert Image.open(name).size[0] > 8
    for variant, value in (("cvae_nf", 1.0), ("cvae", 3.0)):
        write_run(Path(f"results/tiny/runs/{variant}/seed-0"), {"nll": value})
    exec(compile(tables.replace("results/digits", "results/tiny"), "in_python.md", "exec"), names)
    assert names["rows"][0]["metric"] == "nll" and [run["nll"] for run in names["runs"]] == [3.0, 1.0]
    assert [row["difference"] for row in names["pairs"] if row["metric"] == "nll"] == [-2.0]
