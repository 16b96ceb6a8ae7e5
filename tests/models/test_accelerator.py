"""A training step on fake tensors of an accelerator, whose values cannot be read.

Reading one (`.item()`, `if tensor:`, a mask as an index) makes the host wait for the device, and raises here; so does an
operation between a tensor that was left on the host and one of the device.
"""

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.test_every_entry import entries, made_up, resolved, smaller
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.models.posteriors._codebook import Codebook
from vaeline.study.schema import Variant

FAKED = FakeTensorMode(allow_non_fake_inputs=True)  # a real tensor becomes a fake one of its own device


@pytest.mark.parametrize(("study_name", "entry"), entries())
def test_a_step_stays_on_its_device_without_synchronizing(
    study_name: str, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = resolved(study_name)
    facts, splits = made_up(study)
    variant = Variant.model_validate(smaller(study.variants[entry].model_dump(mode="json")))
    assert_step_stays_on_device(Model(variant, facts), facts, splits["train"], monkeypatch)


def assert_step_stays_on_device(model: Model, facts: Facts, train: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a training step on fake tensors of a CUDA device, and draw from p(z)."""
    generator = torch.Generator()
    monkeypatch.setattr(torch, "Generator", lambda device=None: generator)  # a device's own needs the device
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**40, 2**40))
    # A part may use torch.distributions, which look at values to validate them; fakes have none.
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", False)
    # The engine of a backward pass needs the device too; an adaptive weight takes gradients within a step.
    monkeypatch.setattr(torch.autograd, "grad", lambda of, inputs, **keywords: (torch.zeros_like(inputs),))
    for part in model.modules():
        if isinstance(part, Codebook):
            part.has_started = True  # laying the codebook among a first batch asks once whether that is done
    with FAKED:
        put_on_device(model)
        if model.regularizer.adversary is not None:
            put_on_device(model.regularizer.adversary.network)
        if model.regularizer.pretrained is not None:
            put_on_device(model.regularizer.pretrained)
        batches = Batches(train, facts, 8, "cuda")
        x, labels = next(batches.shuffled(0, flip=facts.levels > 0, rotation=10.0 if facts.levels else 0.0))
        objective = model(x, labels, 1)
        total = objective.total if objective.adversary is None else objective.total + objective.adversary
        drawn = model.draw(labels)
    assert x.device.type == labels.device.type == total.device.type == drawn.device.type == "cuda"
    assert total.requires_grad


def put_on_device(module: nn.Module) -> None:
    """Replace weights and buffers by fake tensors; `Module.to` would need the device."""
    for part in module.modules():
        for name, weight in part._parameters.items():
            part._parameters[name] = None if weight is None else nn.Parameter(_faked(weight), weight.requires_grad)
        part._buffers |= {name: None if each is None else _faked(each) for name, each in part._buffers.items()}


def _faked(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")
