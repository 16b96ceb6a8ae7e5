"""The Gaussian posterior against torch's own density."""

import torch
from torch.distributions import Normal

from vaeline import parts
from vaeline.contracts import Context


def test_log_q_is_the_density_of_the_sample(context: Context) -> None:
    posterior = parts.build("posteriors", parts.validate("posteriors", {"name": "gaussian"}), context)
    latent = posterior(torch.randn(7, posterior.features))
    expected = Normal(latent.mean, (0.5 * latent.log_var).exp()).log_prob(latent.z).sum(1)
    torch.testing.assert_close(latent.log_q, expected)


def test_samples_have_the_mean_and_variance_asked_for(context: Context) -> None:
    posterior = parts.build("posteriors", parts.validate("posteriors", {"name": "gaussian"}), context)
    z = posterior(torch.tensor([[1.0, -2.0, 0.0, 1.386294]]).expand(100_000, -1)).z
    torch.testing.assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(0), torch.tensor([1.0, 4.0]), atol=0.08, rtol=0)
