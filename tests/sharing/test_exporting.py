"""Exported parts compute what the model computes, for any number of images, and say what they are."""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline_steps import export
from tests.models.test_contracts import model_of
from vaeline.data.dequantization import to_pixels
from vaeline.runs.description import Description
from vaeline.runs.trained_run import TrainedRun, load
from vaeline.sharing import exporting
from vaeline.sharing.exported_parts import PARTS, exported_part
from vaeline.study import parts
from vaeline.system.errors import UserError

OTHERS = [
    (family, name, place)
    for family, places in {"posteriors": 1, "likelihoods": 1, "label_encoders": 1, "flows": 3}.items()
    for name in parts.names(family)
    for place in range(places)
]
WITHOUT_MEAN = ("likelihoods", "pixelcnn", 0)


def run_with(family: str, name: str, place: int = 0) -> TrainedRun:
    """An untrained run whose model has a part."""
    model, facts = model_of(family, name, place)
    return TrainedRun(model.eval(), facts, Path("data/tiny.h5"))


def programs(run: TrainedRun) -> Iterator[tuple[str, Any]]:
    """Each part, read back from its file."""
    made = Description.model_construct(study="tiny", name="one", seed=0, weights_sha256="a")
    for name in PARTS:
        content, _ = exporting._compared(exported_part(run, name), "torch", made)
        yield name, torch.export.load(BytesIO(content)).module()


def assert_computes_the_same(run: TrainedRun) -> None:
    """For one image, which is not the number that was traced."""
    labels = np.zeros((1, 1), np.int64)
    given = (torch.from_numpy(labels),) if run.model.conditional else ()
    found = dict(programs(run))
    x = exported_part(run, "encoder").draw(1)[0]
    sees = run.model.variant.condition
    with torch.no_grad():
        z = found["encoder"](x, *(given if sees and sees.encoder else ()))[0]
        features = run.model.features(x, run.model.condition(torch.from_numpy(labels)))
        expected = run.model.posterior.centre(features)
        torch.testing.assert_close(z, expected)
        mean = found["decoder"](z, *given)[0]
    levels = to_pixels(mean, run.facts).numpy().astype(int)
    assert np.abs(levels - run.decode(z.numpy(), labels if run.model.conditional else None).astype(int)).max() <= 1


SLOW = pytest.mark.slow(reason="a network for one size of images, which are larger")
NETWORKS = [
    pytest.param(name, marks=[SLOW] if parts.options_class("networks", name).image_size else [])
    for name in parts.names("networks")
]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_computes_the_same_as_torch_export(name: str) -> None:
    assert_computes_the_same(run_with("networks", name))


@pytest.mark.slow(reason="traces every part that an export may contain, a second each")
@pytest.mark.parametrize("case", [case for case in OTHERS if case != WITHOUT_MEAN], ids=str)
def test_every_other_part_computes_the_same_as_torch_export(case: tuple[str, str, int]) -> None:
    assert_computes_the_same(run_with(*case))


@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_the_bytes_that_are_compared_are_those_that_are_written(
    form: exporting.Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []

    def write(program: object, part: object, about: dict[str, Any]) -> bytes:
        return f"{about['part']} {len(compared)}".encode()

    def run(content: bytes, inputs: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        compared.append(content)
        return [each + 0.00001 for each in part.module(*inputs)]

    monkeypatch.setattr(exporting, "_traced", lambda part: None)
    monkeypatch.setattr(exporting, f"_{form}", write)
    monkeypatch.setattr(exporting, f"_run_{form}", run)
    part = exported_part(run_with("networks", "mlp"), "decoder")
    made = Description.model_construct(study="tiny", name="one", seed=0, weights_sha256="a")
    with torch.no_grad():
        content, difference = exporting._compared(part, form, made)
    assert [content] == compared and 0 < difference < 1e-4


def exported(*words: object) -> tuple[int, str]:
    said = CliRunner().invoke(export.main, [str(word) for word in words])
    return said.exit_code, said.output


def test_a_file_says_what_it_is_and_has_its_half_alone(run: Path, tmp_path: Path) -> None:
    code, said = exported(run, "--output", tmp_path / "files")
    assert code == 0 and "encoder.pt2: differs from the model by 0 at most, on 5 random inputs" in said, said
    extra = {"vaeline.json": ""}
    program = torch.export.load(tmp_path / "files/decoder.pt2", extra_files=extra)
    about = json.loads(extra["vaeline.json"])
    assert about["weights_sha256"] in (run / "variant.yaml").read_text()
    assert "sigma" in about["outputs"] and "level k of 0 to 7 is 0.0 + 1.0 (k + 0.5) / 8" in about["outputs"]["mean"]
    assert about["inputs"]["labels"] == "int64, (batch, 1): shape by its place among round, a|b"
    assert not any("encoder" in name or "prior" in name for name in program.state_dict)
    assert {path.name for path in (tmp_path / "files").iterdir()} == {"encoder.pt2", "decoder.pt2"}


def test_onnx_computes_the_same(run: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    code, said = exported(run, "--format", "onnx", "--part", "decoder", "--output", tmp_path)
    assert code == 0 and "decoder.onnx: differs" in said, said
    session = runtime.InferenceSession(tmp_path / "decoder.onnx")
    z = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    labels = np.arange(7)[:, None] % 2
    mean, sigma = session.run(["mean", "sigma"], {"z": z, "labels": labels})
    known = load(run)
    np.testing.assert_array_equal(to_pixels(torch.from_numpy(mean), known.facts).numpy(), known.decode(z, labels))
    np.testing.assert_allclose(sigma, np.full((7, 1, 1, 1), known.model.likelihood.sigma), rtol=1e-6)
    about = json.loads(session.get_modelmeta().custom_metadata_map["vaeline"])
    assert about["part"] == "decoder"


def test_what_cannot_be_exported_is_a_sentence(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="likelihood pixelcnn draws an image pixel by pixel .* by --part encoder"):
        exported_part(run_with(*WITHOUT_MEAN), "decoder")
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "_run_torch", lambda content, inputs: [torch.ones(())] * 2)
        assert "The encoder as torch differs from the model by" in exported(run, "--output", tmp_path / "files")[1]
    with monkeypatch.context() as patch:
        patch.setattr(torch.export, "export", lambda *words, **options: 1 / 0)
        said = exported(run, "--output", tmp_path / "files")[1]
    assert (
        "The encoder of this run, with network mlp and posterior gaussian, cannot be exported (division by zero)"
        in said
    )
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxscript", None)
        assert "pip install 'vaeline[export]'`, or `make setup`" in exported(run, "--format", "onnx")[1]
    (run / "model.safetensors").unlink()
    assert "There is no" in exported(run, "--output", tmp_path / "files")[1]
    assert not (tmp_path / "files").exists()
