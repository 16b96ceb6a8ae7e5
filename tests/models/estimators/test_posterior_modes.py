"""Modes where they are known."""

import pytest
import torch

from tests.models.estimators.known_models import (
    LinearGaussian,
)
from vaeline.models.estimators.posterior_modes import climb


@pytest.mark.parametrize("latent", [1, 5])
def test_the_mode_of_a_linear_gaussian_model_is_its_posteriors_mean(latent: int) -> None:
    model = LinearGaussian(latent)
    modes = climb(model.density, torch.zeros_like(model.z))
    torch.testing.assert_close(modes.z, model.mean, atol=1e-2, rtol=1e-3)
    torch.testing.assert_close(modes.curvature, model.precision.expand_as(modes.curvature), atol=1e-2, rtol=1e-3)
