"""The evidence lower bound (Kingma and Welling, 2014, eq. 3), its rate left to a regularizer."""

from torch import Tensor

from vaeline.models.contracts import Bound, BoundModel, Context, Objective, TrainingBatch
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "EvidenceLowerBound":
    """Build the bound at one sample of each image's posterior."""
    return EvidenceLowerBound()


class EvidenceLowerBound(Bound):
    def __call__(self, model: BoundModel, x: Tensor, labels: Tensor, step: int | None) -> Objective:
        """The distortion and the terms of the regularizer; the rate is logged: nats, (b,) each."""
        condition = model.condition(labels)
        latent = model.encode(x, condition)
        h = model.decoder_output(latent.z, condition)
        distortion = -model.likelihood.log_prob(x, h)
        rate = model.prior.rate(latent, condition)
        batch = TrainingBatch(x, latent, h, rate, condition, model.prior, model.likelihood, step, so_far=distortion)
        regularized = model.regularizer(batch)
        logged = {} if rate is None else {"rate": rate}
        return Objective({"distortion": distortion, **regularized.minimised}, logged, regularized.adversary)
