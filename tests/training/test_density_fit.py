"""The fit of a density to the latents of a trained model."""

from typing import Any

import pytest

from tests.training.tiny import FACTS, Killed, run, same, split
from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.density_fit import fit_density

MIXTURE = {"condition": None, "prior": {"name": "standard"}, "density": {"name": "gaussian_mixture", "components": 2}}
CODES = {
    "network": {"name": "conv", "width": 4, "depth": 2}, "condition": {"embedding": None, "encoder": False, "decoder": False},
    "posterior": {"name": "vector_quantized", "codes": 6}, "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
    "density": {"name": "pixelcnn", "width": 4, "layers": 2, "epochs": 4},
}  # fmt: skip


@pytest.mark.parametrize("variant", [MIXTURE, CODES], ids=["vectors", "codes"])
def test_a_killed_density_fit_ends_in_the_same_bytes(variant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(name: str) -> tuple[Model, list[float]]:
        model, _ = run("same", variant=variant)
        return model, fit_density(model, Batches(split(40), FACTS, 16), 0, Checkpoints(name, {}))

    whole, losses = fitted("whole")
    write = Checkpoints.write

    def write_and_die(self: Checkpoints, epoch: int, state: Any, finished: bool) -> None:
        write(self, epoch, state, finished)
        raise Killed

    for _ in range(2 if len(losses) > 1 else 1):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Checkpoints, "write", write_and_die)
            fitted("killed")
    again, losses_again = fitted("killed")
    assert same(whole, again) and losses == losses_again
    assert len(losses) == (4 if variant is CODES else 1)
