"""How the weights of encoder and decoder start."""

from torch import nn

from vaeline.models.model import Model
from vaeline.study.schema import Training


def initialise(model: Model, settings: Training) -> None:
    """Draw the weights of encoder and decoder anew, as the settings say; priors, flows and embeddings stay as they are.

    `glorot` draws uniformly with variance 2 / (inputs + outputs), and sets biases to 0 (Glorot and Bengio, 2010, eq. 16).
    """
    if settings.initialisation == "parts":
        return
    for layer in model.network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
