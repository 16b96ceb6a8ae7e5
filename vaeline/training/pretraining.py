"""Fit the network that a regularizer brings, before the model is trained."""

from collections.abc import Iterator

from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed
from vaeline.training.checkpointed_fit import fit_through
from vaeline.training.checkpoints import Checkpoints


def pretrain(model: Model, batches: Batches, seed: int, checkpoints: Checkpoints) -> list[float]:
    """Fit the network of the regularizer to the images of the training split; continue a fit that was stopped.

    Args:
        model: not yet trained; nothing is done if its regularizer brings no network.
        batches: training split, on the device of the training.
        seed: of the run; variants that describe the same network get the same one.
        checkpoints: of the fit.

    Returns:
        The loss of each epoch.

    Raises:
        UserError: the fit diverged.
    """
    network = model.regularizer.pretrained
    if network is None:
        return []
    network.to(batches.labels.device)

    def images(of_epoch: int) -> Iterator[Tensor]:
        return (x for x, _ in batches.shuffled(of_epoch))

    of_fit = derive_seed("pretraining", seed)
    return fit_through("pretraining", network.epochs, checkpoints, lambda state: network.fit(images, of_fit, state))
