"""Several processes that train one model: each computes with a slice of a batch, and the numbers are those of one process.

A process is a rank. All ranks draw the same random numbers, for the whole batch, and each takes its rows. A loss that is a mean over
the batch is a sum of shares, one of each rank, and the sum of the gradients of the shares is the gradient of the mean. What couples
the images of a batch is computed from `whole` or `mean`, which every rank gets. Their backward pass sums gradients over the ranks, so
that a share may depend on the images of all ranks.

Outside the block of `dealt`, and in a single process, every function here does what a single process would: nothing, or a plain mean.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional


class _Dealt(NamedTuple):
    """A batch that is dealt among the ranks."""

    rows: slice  # of this rank
    images: int  # of the whole batch

    @property
    def own(self) -> int:
        """The images of this rank."""
        return self.rows.stop - self.rows.start


_batch: _Dealt | None = None


def count() -> int:
    """The number of ranks; 1 for a process that is alone."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def number() -> int:
    """Of this rank, from 0. Rank 0 alone writes files."""
    return distributed.get_rank() if count() > 1 else 0


def dealing() -> bool:
    """Whether this rank has only a slice of the batch."""
    return _batch is not None


@contextmanager
def dealt(images: int) -> Iterator[slice]:
    """Deal a batch within the block; gives the rows of this rank.

    A batch of fewer images than ranks is not dealt: every rank computes it whole.
    """
    ranks, rank = count(), number()
    if ranks == 1 or images < ranks:
        yield slice(0, images)
        return
    rows = slice(rank * images // ranks, (rank + 1) * images // ranks)
    with _within(_Dealt(rows, images)):
        yield rows


@contextmanager
def undealt() -> Iterator[None]:
    """Within the block, tensors have other rows than those of this rank: those of the whole batch, or of something else."""
    with _within(None):
        yield


@contextmanager
def _within(batch: _Dealt | None) -> Iterator[None]:
    global _batch
    before, _batch = _batch, batch
    try:
        yield
    finally:
        _batch = before


class _Sum(torch.autograd.Function):
    """The sum of a tensor over the ranks; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        # Not every backend adds 16-bit numbers, and those that do round after each rank.
        exact = x.to(torch.promote_types(x.dtype, torch.float32)) if x.is_floating_point() else x
        found = exact.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(found)
        return found.to(x.dtype)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return _Sum.apply(gradients[0])


def total(share: Tensor) -> Tensor:
    """The sum of what each rank has, of any shape."""
    return _Sum.apply(share) if _batch else share


def totals(shares: dict[str, Tensor]) -> dict[str, Tensor]:
    """The sums of numbers by name, without gradients."""
    if not _batch:
        return shares
    found = total(torch.stack([each.detach() for each in shares.values()]))
    return dict(zip(shares, found.unbind(), strict=True))


def whole(x: Tensor) -> Tensor:
    """The rows of the whole batch, (batch, ...), from those of this rank, (b, ...)."""
    if not _batch:
        return x
    around = (_batch.rows.start, _batch.images - _batch.rows.stop)
    return total(functional.pad(x, (*[0, 0] * (x.dim() - 1), *around)))


def own(x: Tensor) -> Tensor:
    """The rows of this rank, (b, ...), from those of the whole batch, (batch, ...)."""
    return x[_batch.rows] if _batch else x


def elements(x: Tensor) -> int:
    """The numbers of x, (k * b, ...), over all ranks."""
    return x.numel() * _batch.images // _batch.own if _batch else x.numel()


def mean(x: Tensor, dim: list[int] | None = None) -> Tensor:
    """The mean over the images of the whole batch, and over other dimensions; over all of them if `dim` is None.

    Args:
        x: (b, ...), or (k * b, ...) with several rows for each image.
        dim: the dimensions, the first among them.
    """
    if not _batch:
        return x.mean() if dim is None else x.mean(dim)
    share = x.sum() if dim is None else x.sum(dim)
    return total(share) / (elements(x) // share.numel())


def share_of_mean(x: Tensor) -> Tensor:
    """What this rank adds to the mean of x, (b,) or (k * b,), over the whole batch; the gradient of a loss starts here."""
    return x.mean() * (_batch.own / _batch.images) if _batch else x.mean()


def norm(x: Tensor) -> Tensor:
    """The Euclidean norm of a tensor whose rows are dealt."""
    return total(x.square().sum()).sqrt() if _batch else x.norm()


def randn_like(x: Tensor) -> Tensor:
    """Normal noise of the shape of x, (b, ...), or (k * b, ...) with the images k times in turn: the rows that one process would draw."""
    if not _batch:
        return torch.randn_like(x)
    shape = (len(x) // _batch.own, _batch.images, *x.shape[1:])
    return torch.randn(shape, dtype=x.dtype, device=x.device)[:, _batch.rows].flatten(0, 1)


@torch.no_grad()
def sum_gradients(parameters: Iterable[Tensor]) -> None:
    """Give every rank the gradient of the whole loss, in place of that of its share.

    A batch that is not dealt has it on every rank; the first rank's is taken, since devices may differ in the last bits.
    """
    if count() == 1:
        return
    gradients = [each.grad for each in parameters if each.grad is not None]
    flat = torch.cat([each.flatten() for each in gradients])
    if _batch:
        distributed.all_reduce(flat)
    else:
        distributed.broadcast(flat, 0)
    for gradient, found in zip(gradients, flat.split([each.numel() for each in gradients]), strict=True):
        gradient.copy_(found.view(gradient.shape))


@torch.no_grad()
def same_buffers(module: nn.Module) -> None:
    """Give every rank the first one's buffers. On the CPU they are the same; other devices may add numbers in any order."""
    if count() > 1:
        for each in module.buffers():
            if each.device.type != "cpu":
                distributed.broadcast(each, 0)


@torch.no_grad()
def agree(tensors: Iterable[Tensor]) -> bool:
    """Whether all ranks have the same numbers, as judged by their sums; all ranks get the same answer."""
    if count() == 1:
        return True
    found = torch.stack([each.double().nan_to_num().sum().cpu() for each in tensors])
    first = found.clone()
    distributed.broadcast(first, 0)
    differ = (first != found).any().long()
    distributed.all_reduce(differ)
    return not differ
