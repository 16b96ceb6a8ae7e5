"""Parts of a model as files of `torch.export` or ONNX, each compared with the model before it is written."""

import json
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from vaeline.models.model import Model
from vaeline.runs.description import Description, described
from vaeline.runs.folder import DESCRIPTION
from vaeline.runs.trained_run import load
from vaeline.sharing.exported_parts import ExportedPart, Part, exported_part
from vaeline.system.errors import UserError, reason
from vaeline.system.extras import imported
from vaeline.system.files import write_bytes
from vaeline.system.version import __version__

Format = Literal["torch", "onnx"]
SUFFIX: dict[Format, str] = {"torch": "pt2", "onnx": "onnx"}
KEY = "vaeline"  # of the metadata inside a file
TRACED, COMPARED = 3, 5  # images in the inputs: others, so that the size of the batch is free
TOLERANCE = 1e-4  # of the largest output, or of 1 if that is more


class Exported(NamedTuple):
    """A file that was written."""

    path: Path
    largest_difference: float  # between its outputs and the model's


def export(folder: Path, output: Path, names: Sequence[Part], form: Format) -> list[Exported]:
    """Write parts of a run, `encoder` and `decoder`, each to a file of its own; nothing is written if one cannot be exported.

    Args:
        folder: of the run.
        output: folder of the files.
        names: of the parts.
        form: `torch` for `torch.export.load`, or `onnx`.

    Raises:
        UserError: the run cannot be loaded, a part cannot be exported, a library is missing, or a file computes something else.
    """
    if form == "onnx":
        for library in ("onnxscript", "onnx", "onnxruntime"):
            imported(library, "vaeline export --format onnx")
    run, made = load(folder), described(folder / DESCRIPTION)
    files: list[tuple[Path, bytes, float]] = []
    for part in [exported_part(run, name) for name in names]:
        content, difference = _compared(part, form, made)
        files.append((output / f"{part.name}.{SUFFIX[form]}", content, difference))
    for path, content, _ in files:
        write_bytes(path, content)
    return [Exported(path, difference) for path, _, difference in files]


def _compared(part: ExportedPart, form: Format, made: Description) -> tuple[bytes, float]:
    """The content of a part's file, and how far its outputs are from the model's on random inputs, at most."""
    program = _traced(part)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        inputs = part.draw(COMPARED)
        expected = part.module(*inputs)
    write, run = (_torch, _run_torch) if form == "torch" else (_onnx, _run_onnx)
    content = write(program, part, _about(part, made))
    found = run(content, inputs)
    difference = max(float((one - other).abs().max()) for one, other in zip(expected, found, strict=True))
    largest = max(1.0, *(float(each.abs().max()) for each in expected))
    if not difference <= TOLERANCE * largest:  # NaN too
        raise UserError(
            f"The {part.name} as {form} differs from the model by {difference:.3g}, and {TOLERANCE * largest:.3g} is allowed; take the other --format."
        )
    return content, difference


def _traced(part: ExportedPart) -> torch.export.ExportedProgram:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        inputs = part.draw(TRACED)
        batch = tuple({0: torch.export.Dim("batch")} for _ in inputs)
        try:
            return torch.export.export(part.module.eval(), inputs, dynamic_shapes=batch)
        except Exception as error:  # torch has a class for each thing that it cannot trace
            raise _refused(part, error) from error


def _refused(part: ExportedPart, error: Exception) -> UserError:
    model = part.module.get_submodule("model")
    assert isinstance(model, Model)
    variant = model.variant
    of = f"posterior {variant.posterior.name}" if part.name == "encoder" else f"likelihood {variant.likelihood.name}"
    return UserError(
        f"The {part.name} of this run, with network {variant.network.name} and {of}, cannot be exported ({reason(error)}); use it by `vaeline.load`."
    )


def _about(part: ExportedPart, made: Description) -> dict[str, Any]:
    """What the metadata of a file says."""
    return {
        "vaeline": __version__, "part": part.name, "study": made.study, "variant": made.name, "seed": made.seed,
        "weights_sha256": made.weights_sha256, "inputs": part.inputs, "outputs": part.outputs,
    }  # fmt: skip


def _torch(program: torch.export.ExportedProgram, part: ExportedPart, about: dict[str, Any]) -> bytes:
    file = BytesIO()
    torch.export.save(program, file, extra_files={f"{KEY}.json": json.dumps(about, ensure_ascii=False)})
    return file.getvalue()


def _run_torch(content: bytes, inputs: tuple[Tensor, ...]) -> Sequence[Tensor]:
    with torch.no_grad():
        found: Sequence[Tensor] = torch.export.load(BytesIO(content)).module()(*inputs)
    return found


def _onnx(program: torch.export.ExportedProgram, part: ExportedPart, about: dict[str, Any]) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch and of onnxscript, about themselves
        try:
            made = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=[*part.inputs], output_names=[*part.outputs]
            )
        except Exception as error:
            raise _refused(part, error) from error
    assert made is not None  # as `dynamo` returns
    model = made.model_proto
    model.metadata_props.add(key=KEY, value=json.dumps(about, ensure_ascii=False))
    content: bytes = model.SerializeToString()
    return content


def _run_onnx(content: bytes, inputs: tuple[Tensor, ...]) -> Sequence[Tensor]:
    runtime = imported("onnxruntime", "vaeline export --format onnx")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    given = {name: each.numpy() for name, each in zip(names, inputs, strict=True)}
    return [torch.from_numpy(each) for each in session.run(None, given)]
