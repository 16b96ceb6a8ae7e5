"""The evidence lower bound (Kingma and Welling, 2014, eq. 3) as a regularizer has it: the distortion and its terms."""

from typing import Any

from torch import Tensor

from vaeline.models.contracts import Context
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "EvidenceLowerBound":
    """Build the bound out of one sample of each image's posterior."""
    return EvidenceLowerBound()


class EvidenceLowerBound:
    includes_rate = False

    def __call__(
        self, model: Any, x: Tensor, labels: Tensor, step: int | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The terms of the objective, and what is shown beside them: nats, (b,) each."""
        latent = model.encode(x, labels)
        bound = model.bound_of(latent, x, labels, model.prior)
        terms = model.regularizer(latent, bound.rate, model.prior, model.condition(labels), step)
        beside = {"rate": bound.rate, "adversary": terms.pop("adversary", None)}
        return {"distortion": bound.distortion, **terms}, {k: term for k, term in beside.items() if term is not None}
