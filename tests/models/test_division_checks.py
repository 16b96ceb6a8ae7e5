"""Models whose batches several processes cannot share are refused."""

from collections.abc import Callable

import pytest

from tests.models.own_part import own_part
from tests.models.test_contracts import FACTS, VECTORS
from vaeline.models.division_checks import check_division
from vaeline.models.model import Model
from vaeline.study.parts import PartOptions
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

PRIOR = "vaeline.models.priors.standard.Standard"
SIZE = "context.latent_shape[0]"
WHOLE = own_part(PRIOR, "needs_whole_batch = 'it sorts the images of a batch'", SIZE)
DROPOUT = own_part(
    PRIOR,
    """
    def __init__(self, size):
        super().__init__(size)
        self.dropout = nn.Dropout()
""",
    SIZE,
)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            WHOLE,
            "training.processes is 2, but .*/mine.py needs a whole batch in one process: it sorts .*; set training.processes to 1",
        ),
        (
            DROPOUT,
            "training.processes is 2, but prior.dropout is a layer of dropout, .*; set training.processes to 1, or",
        ),
    ],
)
def test_a_part_that_cannot_be_shared_is_refused(
    source: str, words: str, write_part: Callable[[str, str], PartOptions]
) -> None:
    write_part("priors", source)
    with pytest.raises(UserError, match=words):
        check_division(Model(Variant.model_validate({**VECTORS, "prior": {"name": "mine"}}), FACTS), 2)


def test_a_regularizer_that_cannot_be_shared_is_refused_inside_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaeline.models.regularizers.kl.WeightedRate.needs_whole_batch", "it ranks them")
    variant = {**VECTORS, "regularizer": {"name": "sum", "parts": [{"name": "kl"}]}}
    with pytest.raises(
        UserError, match="vaeline/models/regularizers/sum.py needs a whole batch in one process: it ranks them"
    ):
        check_division(Model(Variant.model_validate(variant), FACTS), 2)


def test_a_density_may_have_dropout() -> None:
    variant = {
        **VECTORS, "network": {"name": "conv", "depth": 2}, "posterior": {"name": "vector_quantized"},
        "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"}, "density": {"name": "pixelcnn"},
    }  # fmt: skip
    check_division(Model(Variant.model_validate(variant), FACTS), 2)
