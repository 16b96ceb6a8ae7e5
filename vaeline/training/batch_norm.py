"""Batch normalisation over the images of a batch that several processes share (Ioffe and Szegedy, 2015)."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vaeline.system import ranks


class SharedBatchNorm(_BatchNorm):
    """A layer of batch normalisation whose moments are those of the whole batch. Torch's own one of that kind needs a GPU.

    Args:
        layer: whose weights and running moments it takes over.
    """

    def __init__(self, layer: _BatchNorm) -> None:
        super().__init__(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
        self.weight, self.bias = layer.weight, layer.bias
        for name, buffer in layer.named_buffers():
            setattr(self, name, buffer)
        self.train(layer.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of x, (b, channels, ...)."""
        if not (self.training and ranks.dealing()):
            return super().forward(x)
        others = [0, *range(2, x.dim())]
        h = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = ranks.mean(h, others)
        centred = h - self._of_channels(mean, h)
        variance = ranks.mean(centred.square(), others)
        if self.track_running_stats:
            self._follow(mean.detach(), variance.detach(), ranks.elements(h) // self.num_features)
        h = centred * self._of_channels((variance + self.eps).rsqrt(), h)
        if self.affine:
            h = h * self._of_channels(self.weight, h) + self._of_channels(self.bias, h)
        return h.to(x.dtype)

    def _check_input_dim(self, x: Tensor) -> None:
        """Any number of dimensions after the channels."""

    def _of_channels(self, numbers: Tensor, h: Tensor) -> Tensor:
        return numbers.view(1, -1, *[1] * (h.dim() - 2))

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, elements: int) -> None:
        """Move the running moments, of which the variance has no bias."""
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (elements / (elements - 1)), share)


def share_batch_norms(module: nn.Module) -> None:
    """Replace each layer of batch normalisation inside a module, whose weights stay the same objects."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm):
            setattr(module, name, SharedBatchNorm(child))
        else:
            share_batch_norms(child)
