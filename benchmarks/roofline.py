"""Training steps beside the ceilings of the device: how much of its matrix-product and copy speed they reach (Williams et al., 2009).

`python -m benchmarks.roofline [--device cuda] [--precision bf16-mixed]` times the conditional VAE with a flow prior on faces of 86x86. It
measures the ceilings too, since the data sheet does not give the speed under load.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import click
import torch
from lightning_fabric import Fabric
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.race import MEASURED
from benchmarks.sides.ours_training import COLOURS, CONDITIONAL
from benchmarks.work import attributes, faces
from pipeline_steps.command import command
from vaeline.data.batches import Batches
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.study.schema import Training, Variant
from vaeline.system.devices import device_of, prepare_process
from vaeline.system.hardware import hardware
from vaeline.training.step import stepper

RESULTS = MEASURED / "roofline.json"
TURNS = 5


class BytesMoved(TorchDispatchMode):
    """Counts the bytes that each operation reads and writes, as if there were no cache. Fused operations move fewer bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        result = function(*arguments, **(options or {}))
        if not function.is_view:
            tensors: list[torch.Tensor] = []
            torch.utils._pytree.tree_map_only(torch.Tensor, tensors.append, (arguments, options, result))
            self.total += sum(each.numel() * each.element_size() for each in tensors)
        return result


@command
@click.option("--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda", "mps"]))
@click.option("--precision", default="32-true", show_default=True, type=click.Choice(["32-true", "bf16-mixed"]))
@click.option("--batch", default=128, show_default=True, help="Images per step.")
@click.option("--steps", default=20, show_default=True, help="Steps per turn.")
def main(device: str, precision: str, batch: int, steps: int) -> None:
    """Measure images/s, FLOP/s, bytes/s and their shares of the device's ceilings. Print them, and keep them as JSON."""
    where = device_of(device, "--device")
    prepare_process(torch.get_num_threads())
    result = {
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else hardware(),
        "cuda": where.type == "cuda",
        "precision": precision,
        "batch": batch,
        "threads": torch.get_num_threads(),
        **_measure(where, precision, batch, steps),
    }
    print(json.dumps(result, indent=1))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[f"{result['device']}, {precision}"] = result
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def _measure(where: torch.device, precision: str, batch: int, steps: int) -> dict[str, float]:
    take = _training(where, precision, batch)
    with FlopCounterMode(display=False) as flops:
        take(1)
    with BytesMoved() as moved:
        take(1)
    seconds = _seconds(lambda: take(steps), where) / steps
    product = _product_ceiling(where, torch.bfloat16 if precision == "bf16-mixed" else torch.float32)
    copy = _copy_ceiling(where)
    return {
        "images_per_second": batch / seconds,
        "flops_per_step": flops.get_total_flops(),
        "flops_per_second": flops.get_total_flops() / seconds,
        "product_ceiling": product,
        "share_of_product_ceiling": flops.get_total_flops() / seconds / product,
        "bytes_per_step": moved.total,
        "bytes_per_second": moved.total / seconds,
        "copy_ceiling": copy,
        "share_of_copy_ceiling": moved.total / seconds / copy,
    }


def _training(where: torch.device, precision: str, batch: int) -> Callable[[int], None]:
    """Set up a training. The function that comes back takes a number of steps, augmented on the device, of an endless epoch."""
    torch.manual_seed(0)
    images, labels = faces(torch, 8 * batch, COLOURS.image_shape[1]), attributes(torch, 8 * batch)
    batches = Batches(Split(images.numpy(), labels.numpy(), [""] * len(images)), COLOURS, batch, where)
    settings = Training(epochs=1, learning_rate=7e-4, batch_size=batch, precision=precision)  # type: ignore[arg-type]
    fabric = Fabric(accelerator=where.type, devices=1, precision=precision)  # type: ignore[arg-type]
    step = stepper(Model(Variant.model_validate(CONDITIONAL), COLOURS), settings, fabric)
    step.model.train()

    def endless() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            yield from batches.shuffled(0, flip=True, rotation=10)

    stream = endless()

    def take(steps: int) -> None:
        for number in range(steps):
            x, labels = next(stream)
            step(x, labels, number)

    return take


def _product_ceiling(where: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product."""
    side = 8192 if where.type == "cuda" else 2048
    first, second = (torch.randn(side, side, device=where, dtype=dtype) for _ in range(2))
    return 2 * side**3 / _seconds(lambda: first @ second, where)


def _copy_ceiling(where: torch.device) -> float:
    """Bytes/s, read and written together, of a copy too large for any cache."""
    first = torch.zeros(2**28 if where.type == "cuda" else 2**26, device=where)
    second = torch.empty_like(first)
    return 2 * first.numel() * first.element_size() / _seconds(lambda: second.copy_(first), where)


def _seconds(work: Callable[[], object], where: torch.device) -> float:
    """Seconds of the fastest of some turns, after one warm-up turn."""
    times = []
    for _ in range(TURNS + 1):
        _wait(where)
        started = time.perf_counter()
        work()
        _wait(where)
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
    elif where.type == "mps":
        torch.mps.synchronize()


if __name__ == "__main__":
    main()
