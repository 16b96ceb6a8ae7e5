"""Training steps against the ceilings of the device itself: how much of its matrix products and of its copying they reach.

`python -m benchmarks.roofline [--device cuda] [--precision bf16-mixed]`: the conditional VAE with a flow prior on faces of 86x86. The
ceilings are measured here too, since no data sheet knows how a machine is shared.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import click
import torch
from lightning_fabric import Fabric
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.race import MEASURED, machine
from benchmarks.sides.ours_training import COLOURS, CONDITIONAL
from benchmarks.work import attributes, faces
from vaeline.data.batches import Batches
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.study.schema import Training, Variant
from vaeline.system.devices import device_of, prepare_process
from vaeline.training.step import stepper

FOUND = MEASURED / "roofline.json"
TURNS = 5


class BytesMoved(TorchDispatchMode):
    """Counts what each operation reads and writes, as if nothing stayed in a cache: an upper bound that fusing lowers."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        found = function(*arguments, **(options or {}))
        if not function.is_view:
            tensors: list[torch.Tensor] = []
            torch.utils._pytree.tree_map_only(torch.Tensor, tensors.append, (arguments, options, found))
            self.total += sum(each.numel() * each.element_size() for each in tensors)
        return found


@click.command()
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--precision", default="32-true", show_default=True, type=click.Choice(["32-true", "bf16-mixed"]))
@click.option("--batch", default=128, show_default=True, help="Images of a step.")
@click.option("--steps", default=20, show_default=True, help="Of a turn.")
def main(device: str, precision: str, batch: int, steps: int) -> None:
    """Find images/s, FLOP/s, bytes/s and their shares of the device's ceilings; print and keep them as JSON."""
    where = device_of(device)
    prepare_process(torch.get_num_threads())
    dtype = torch.bfloat16 if precision == "bf16-mixed" else torch.float32
    take = _training(where, precision, batch)
    with FlopCounterMode(display=False) as flops:
        take(1)
    with BytesMoved() as moved:
        take(1)
    seconds = _seconds(lambda: take(steps), where) / steps
    product, copy = _product_ceiling(where, dtype), _copy_ceiling(where)
    found = {
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else f"{machine()}",
        "cuda": where.type == "cuda",
        "precision": precision,
        "batch": batch,
        "threads": torch.get_num_threads(),
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
    print(json.dumps(found, indent=1))
    kept = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    kept[f"{found['device']}, {precision}"] = found
    FOUND.write_text(json.dumps(kept, indent=1) + "\n")


def _training(where: torch.device, precision: str, batch: int) -> Callable[[int], None]:
    """A function that takes so many steps of an epoch that never ends; augmented on the device, as in a training."""
    torch.manual_seed(0)
    images, labels = faces(torch, 8 * batch, COLOURS.image_shape[1]), attributes(torch, 8 * batch)
    batches = Batches(Split(images.numpy(), labels.numpy(), [""] * len(images)), COLOURS, batch, where)
    settings = Training(epochs=1, learning_rate=7e-4, batch_size=batch, precision=precision)  # type: ignore[arg-type]
    fabric = Fabric(accelerator=where.type, devices=1, precision=precision)  # type: ignore[arg-type]
    step = stepper(Model(Variant.model_validate(CONDITIONAL), COLOURS), settings, fabric)
    step.model.train()

    def endless() -> Any:
        while True:
            yield from batches.shuffled(0, flip=True, rotation=10)

    dealt = endless()

    def take(steps: int) -> None:
        for number in range(steps):
            x, labels = next(dealt)
            step(x, labels, number)

    return take


def _product_ceiling(where: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product."""
    side = 8192 if where.type == "cuda" else 2048
    first, second = (torch.randn(side, side, device=where, dtype=dtype) for _ in range(2))
    return 2 * side**3 / _seconds(lambda: first @ second, where)


def _copy_ceiling(where: torch.device) -> float:
    """Bytes/s read and written together by a copy too large for any cache."""
    first = torch.zeros(2**28 if where.type == "cuda" else 2**26, device=where)
    second = torch.empty_like(first)
    return 2 * first.numel() * first.element_size() / _seconds(lambda: second.copy_(first), where)


def _seconds(work: Callable[[], object], where: torch.device) -> float:
    """Of the fastest of some turns, after one that does not count."""
    taken = []
    for _ in range(TURNS + 1):
        _wait(where)
        started = time.perf_counter()
        work()
        _wait(where)
        taken.append(time.perf_counter() - started)
    return min(taken[1:])


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
    elif where.type == "mps":
        torch.mps.synchronize()


if __name__ == "__main__":
    main()
