"""How many proposals a resampled prior accepts, which normalises its density (Bauer and Mnih, 2019)."""

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "acceptance",
        group="Latent space",
        meaning="proposals that the prior accepts",
        definition="Share of its proposals that a resampled prior accepts. Its relative error is an error of every log p(z), in nats.",
        standard_error="over draws of the proposal",
    )
]
