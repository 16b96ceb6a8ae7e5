"""A run that is pushed, to a folder or to a hub, is loaded as it was, and says what it is and how good it is."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

import vaeline
from pipeline_steps import push, table
from tests.made_up import write_run
from tests.sharing.conftest import WEIGHTS, use_hub_at
from tests.sharing.small_hub import Hub
from vaeline.runs.evaluation_file import read_evaluation
from vaeline.system.errors import UserError

FILES = {"README.md", "evaluation.json", "model.safetensors", "training.csv", "variant.yaml"}


def pushed(*words: object) -> Result:
    return CliRunner().invoke(push.main, [str(word) for word in words])


def sentence(*words: object) -> str:
    """The one line that a refused push says."""
    said = pushed(*words)
    assert said.exit_code == 1 and said.output.startswith("Error: ") and said.output.count("\n") == 1, said.output
    return said.output


def samples(place: Path | str, **options: str) -> np.ndarray:
    return vaeline.from_pretrained(place, **options).sample(4, shape="round")


def test_a_run_in_a_folder_is_loaded_as_it_was(run: Path, tmp_path: Path) -> None:
    assert pushed(run, tmp_path / "copy").exit_code == 0
    np.testing.assert_array_equal(samples(tmp_path / "copy"), vaeline.load(run).sample(4, shape="round"))
    assert {path.name for path in (tmp_path / "copy").iterdir()} == FILES
    assert "fd_sample" in CliRunner().invoke(table.main, [str(tmp_path / "copy")]).output
    assert pushed(tmp_path / "copy", tmp_path / "again").exit_code == 0  # a copy can be given on
    assert pushed(run, tmp_path / "copy", "--license", "mit").exit_code == 0  # and is replaced


def test_no_copy_names_a_path_of_this_machine(run: Path, tmp_path: Path) -> None:
    pushed(run, tmp_path / "copy")
    texts = [path.read_bytes() for path in (tmp_path / "copy").iterdir()]
    assert not any(place.encode() in text for text in texts for place in (WEIGHTS, str(tmp_path), "machine"))
    assert read_evaluation(tmp_path / "copy").settings["evaluation"]["features"]["weights"] == "weights.pth"


def test_the_card_says_what_the_files_say(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(run, tmp_path / "copy", "--license", "cc-by-4.0")
    _, head, text = (tmp_path / "copy/README.md").read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(head)
    assert front["library_name"] == "vaeline" and front["license"] == "cc-by-4.0"
    assert front["tags"] == ["vaeline", "vae", "autoencoder", "image-generation"]
    [result] = front["model-index"][0]["results"]
    assert [(each["type"], each["value"]) for each in result["metrics"]] == [("fd_sample", 3.25)]  # nll is a bound
    assert (
        "| Negative log-likelihood (`nll`, nats) ↓ | &lt;= 12.35 ± 0.98 over images | How nll is made. (test split, 9 images) upper bound: chains failed |"
        in text
    )
    assert "- `mig`: the labels are no factors" in text and re.search(r"`recall`.*: the study did not ask for it", text)
    assert "| train | 9 |" in text and r"shape (2 values: round, a\|b)" in text
    assert "- likelihood `learned_sigma`: A Gaussian decoder whose standard deviation" in text and "{rybkin2021" in text
    [code] = text.split("```python\n")[1:]
    names: dict = {}
    monkeypatch.chdir(tmp_path)
    exec(code.split("```")[0], names)
    assert names["images"].shape == (16, 1, 4, 4)
    pushed(run, tmp_path / "bare")
    assert "license" not in (tmp_path / "bare/README.md").read_text(encoding="utf-8")


def test_the_picture_of_samples_goes_along_and_those_of_data_do_not(tmp_path: Path) -> None:
    run = tmp_path / "one/seed-0"
    write_run(run, {"nll": 3.0})
    assert pushed(run, tmp_path / "copy").exit_code == 0
    assert {path.name for path in (tmp_path / "copy").iterdir()} == FILES | {"samples.png"}
    assert "(samples.png)" in (tmp_path / "copy/README.md").read_text()
    (run / "samples.png").write_bytes(b"another")
    assert "samples.png is damaged" in sentence(run, tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("evaluation.json", None, "There is no {}; give the folder of a run, or get it again from where it came."),
        ("model.safetensors", None, "There is no {}; give the folder of a run, or get it again"),
        ("model.safetensors", b"x", "{} is damaged"), ("training.csv", b"x", "{} is damaged"), ("variant.yaml", b"x: 1", "{} is damaged"),
    ],
)  # fmt: skip
def test_a_run_that_is_not_whole_is_not_pushed(
    run: Path, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    (run / name).unlink()
    if content is not None:
        (run / name).write_bytes(content)
    assert said.format(run / name) in sentence(run, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_destination_is_a_repository_or_a_folder_of_its_own(run: Path, tmp_path: Path) -> None:
    assert "'digits' is neither a folder, such as ./model, nor a repository" in sentence(run, "digits")
    assert "has other files than a run that was pushed (timing.json)" in sentence(run, run)
    assert "has other files than a run that was pushed (blots.h5, run)" in sentence(run, tmp_path)
    pushed(run, tmp_path / "copy")
    assert "is the run itself" in sentence(tmp_path / "copy", tmp_path / "copy")
    assert "--license is 'M I T'; give an identifier" in sentence(run, tmp_path / "copy", "--license", "M I T")


def test_what_is_no_run_is_not_loaded(run: Path, tmp_path: Path) -> None:
    pushed(run, copy := tmp_path / "copy")
    with pytest.raises(UserError, match="revision is 'main', but .* is a folder, which has none"):
        vaeline.from_pretrained(copy, revision="main")
    with pytest.raises(UserError, match="3 is neither a folder"):
        vaeline.from_pretrained(3)  # type: ignore[arg-type]
    (copy / "model.safetensors").write_bytes(b"x")
    with pytest.raises(
        UserError, match="model.safetensors is damaged .*; give the folder of a run, or get it again from where it came"
    ):
        vaeline.from_pretrained(str(copy))
    (copy / "variant.yaml").unlink()
    with pytest.raises(UserError, match="There is no .*variant.yaml; give the folder of a run"):
        vaeline.from_pretrained(copy)


def test_a_run_alone_says_how_to_name_labels(run: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"shape would be taken from test images, and there is no data/blots.h5; name each label, as in `shape='round'`, or give that file",
    ):
        vaeline.load(run).sample(2)
    with pytest.raises(
        UserError,
        match="not in its folder, and there is no data/blots.h5; give that file of the run's project by `store=`",
    ):
        vaeline.load(run).split()
    assert len(vaeline.load(run, run.parent / "blots.h5").sample(2)) == 2


def test_a_library_that_is_missing_is_named_with_its_extra(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = (
        "needs huggingface_hub, which is not installed; run `pip install 'vaeline[hub]'`, or `make setup` in a clone."
    )
    assert said in sentence(run, "anna/model")
    with pytest.raises(UserError, match="`vaeline.from_pretrained` needs huggingface_hub"):
        vaeline.from_pretrained("anna/model")


def test_a_run_goes_to_a_hub_and_comes_back(run: Path, hub: Hub) -> None:
    said = pushed(run, "anna/model")
    assert said.exit_code == 0 and f"is at {hub.address}/anna/model; load it by" in said.output, said.output
    [first] = [*hub.repositories["anna/model"]][1:]
    assert set(hub.repositories["anna/model"][first]) == FILES | {".gitattributes"}
    expected = vaeline.load(run).sample(4, shape="round")
    np.testing.assert_array_equal(samples("anna/model"), expected)
    assert not any("main/model.safetensors" in line for line in hub.asked)  # both files are of one commit
    assert pushed(run, "anna/model", "--license", "mit").exit_code == 0
    assert b"license: mit" in [*hub.repositories["anna/model"].values()][-1]["README.md"]
    np.testing.assert_array_equal(samples("anna/model", revision=first), expected)
    asked = len(hub.asked)
    hub.repositories.clear()  # as without a network, the cache has the commit
    np.testing.assert_array_equal(samples("anna/model", revision=first), expected)
    assert not any("resolve" in line and "GET" in line for line in hub.asked[asked:])


def test_a_private_run_is_not_sent_to_a_repository_that_is_open_to_all(run: Path, hub: Hub) -> None:
    pushed(run, "anna/open")
    commits = len(hub.repositories["anna/open"])
    assert "The repository anna/open is open to all; make it private" in sentence(run, "anna/open", "--private")
    assert len(hub.repositories["anna/open"]) == commits
    assert [pushed(run, "anna/own", "--private").exit_code for _ in range(2)] == [0, 0] and hub.private == {"anna/own"}


def test_the_picture_of_a_former_run_goes(run: Path, hub: Hub, tmp_path: Path) -> None:
    pushed(run, tmp_path / "copy")
    (tmp_path / "copy/samples.png").write_bytes(b"of a former run")
    assert pushed(run, tmp_path / "copy").exit_code == 0 and not (tmp_path / "copy/samples.png").exists()
    hub.commit("anna/model", {"samples.png": b"of a former run"})
    assert pushed(run, "anna/model").exit_code == 0
    assert set([*hub.repositories["anna/model"].values()][-1]) == FILES


def test_a_hub_that_refuses_is_a_sentence(run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(run, "anna/model")
    hub.commit("anna/other", {"weights.bin": b"x"})
    assert "The repository anna/other has other files than a run that was pushed (weights.bin)" in sentence(
        run, "anna/other"
    )
    for source, options, said in (
        ("anna/nothing", {}, "The hub shows no repository anna/nothing; check the name, or log in by `hf auth login`"),
        ("anna/model", {"revision": "v9"}, "anna/model has no revision 'v9'; give a branch"),
        ("anna/other", {}, "anna/other lacks a file of a run of vaeline"),
    ):
        with pytest.raises(UserError, match=said):
            vaeline.from_pretrained(source, **options)
    damaged = hub.commit("anna/model", {"model.safetensors": b"x"})
    with pytest.raises(UserError, match="model.safetensors is damaged"):
        vaeline.from_pretrained("anna/model", revision=damaged)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "The hub refused anna/model (401" in sentence(run, "anna/model") and "log in by `hf auth login`" in sentence(
        run, "anna/model"
    )


def test_a_hub_that_is_not_there_is_a_sentence(run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    use_hub_at("http://127.0.0.1:1", monkeypatch)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: pytest.fail("it tries again"))
    assert "The hub at http://127.0.0.1:1 cannot be reached; connect" in sentence(run, "anna/model")
    with pytest.raises(UserError, match="cannot be reached, and this machine has no copy of anna/model"):
        vaeline.from_pretrained("anna/model")


def test_a_damaged_copy_in_a_project_is_refused_too(run: Path, tmp_path: Path) -> None:
    """A folder below results has the name of its run."""
    shutil.copytree(run, wrong := tmp_path / "results/tiny/runs/two/seed-0")
    assert "in the folder of two seed 0" in sentence(wrong, tmp_path / "copy")
