"""A small run with a model that can be loaded, evaluated by made-up numbers, and a hub on this machine."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.sharing.small_hub import Hub
from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.runs.evaluation_file import MeasuredOn, write_evaluation
from vaeline.study.schema import Variant
from vaeline.system.files import sha256, write_text

FACTS = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape"], [["round", "a|b"]])
VARIANT = {
    "network": {"name": "mlp", "widths": [8]}, "latent": 3, "condition": {"embedding": 2}, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "learned_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip
METRICS = {
    "nll": {"value": 12.345, "definition": "How nll is made.", "split": "test", "images": 9, "upper_bound": "chains failed"},
    "nll_standard_error": {"value": 0.5, "definition": "Its error."},
    "fd_sample": {"value": 3.25, "definition": "How fd is made.", "split": "test", "images": 9},
    "mig": {"dash": "the labels are no factors"},
}  # fmt: skip
WEIGHTS = "/home/anna/weights.pth"  # a path that no copy may hold


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of an untrained run outside of a project."""
    folder = tmp_path / "run"
    generator = np.random.default_rng(0)
    part = Split(generator.integers(0, 8, (9, 1, 4, 4), dtype=np.uint8), np.arange(9)[:, None] % 2, [*"abcdefghi"])
    facts = store.write(tmp_path / "blots.h5", FACTS, dict.fromkeys(splits.SPLITS, part))
    write_text(folder / "training.csv", "epoch\n1\n")
    torch.manual_seed(0)
    about = {
        "study": "tiny", "name": "one", "seed": 0, "training": {"epochs": 2}, "training_csv_sha256": sha256(folder / "training.csv"),
    }  # fmt: skip
    model_files.save(folder, Model(Variant.model_validate(VARIANT), facts), facts, about)
    of = MeasuredOn(
        variant="one",
        seed=0,
        weights_sha256=sha256(folder / "model.safetensors"),
        samples_sha256="",
        data=facts.checksums,
    )
    write_evaluation(folder, of, {"evaluation": {"features": {"name": "inception", "weights": WEIGHTS}}}, METRICS)
    write_text(folder / "timing.json", '{"train": {"host": "machine"}}')
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that huggingface_hub talks to, with a token that may write."""
    pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")
    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    use_hub_at(server.address, monkeypatch)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", server.token)
    yield server
    server.shutdown()
    server.server_close()


def use_hub_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_ENDPOINT does when huggingface_hub is imported."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address + template)
