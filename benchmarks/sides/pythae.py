"""Training and importance sampling of a VAE with Pythae."""

import logging
import tempfile

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
from pythae.trainers import BaseTrainer, BaseTrainerConfig

from benchmarks.side import Work
from benchmarks.work import IMPORTANCE, LATENT, TRAINING, digits

logging.disable(logging.INFO)


def training(network: str) -> Work:
    """Train for one epoch with `BaseTrainer.train`, without validation."""
    trainer = _trainer(network)

    def work() -> float:
        trainer.train()
        return TRAINING[network]["images"]

    return work


def steps(network: str) -> Work:
    """Take the steps of one epoch, without checkpoints."""
    trainer = _trainer(network)
    trainer.prepare_training()

    def work() -> float:
        trainer.train_step(1)
        trainer.callback_handler.on_epoch_end(training_config=trainer.training_config)  # closes its progress bar
        return TRAINING[network]["images"]

    return work


def _trainer(network: str) -> BaseTrainer:
    images = digits(torch, TRAINING[network]["images"]) / 255
    settings = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        num_epochs=1,
        per_device_train_batch_size=TRAINING[network]["batch"],
        learning_rate=1e-3,
        no_cuda=True,
    )
    dataset = BaseDataset(images, torch.zeros(len(images)))
    return BaseTrainer(_model(network), dataset, training_config=settings)


def likelihood(network: str) -> Work:
    """Estimate the likelihood with `get_nll`, image by image, in batches of 100 samples."""
    model, images = _model(network).eval(), digits(torch, IMPORTANCE[network]["images"]) / 255

    def work() -> float:
        with torch.no_grad():
            model.get_nll(images, n_samples=IMPORTANCE[network]["samples"], batch_size=100)
        return len(images) * IMPORTANCE[network]["samples"]

    return work


def _model(network: str) -> VAE:
    torch.manual_seed(0)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    if network == "mlp":
        return VAE(config)
    return VAE(config, encoder=Encoder_Conv_VAE_MNIST(config), decoder=Decoder_Conv_AE_MNIST(config))
