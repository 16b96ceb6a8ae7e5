"""A check that several processes can share the batches of a model, and train what one process would."""

from collections.abc import Iterator

from torch.nn.modules.dropout import _DropoutNd

from vaeline.models.model import Model
from vaeline.study.contract import Part
from vaeline.system.errors import UserError


def check_division(model: Model, processes: int) -> None:
    """Refuse a model of which a part needs all images of a batch, or draws numbers that several processes would draw otherwise.

    Raises:
        UserError: names the part.
    """
    for part in _parts(model):
        if part.needs_whole_batch:
            raise UserError(
                f"training.processes is {processes}, but {_file(part)} needs a whole batch in one process: {part.needs_whole_batch}; set "
                "training.processes to 1."
            )
    for name, module in model.named_modules():
        if isinstance(module, _DropoutNd) and not name.startswith("density."):
            raise UserError(
                f"training.processes is {processes}, but {name} is a layer of dropout, which would draw other numbers in each process; set "
                "training.processes to 1, or draw by vaeline.system.ranks."
            )


def _file(part: Part) -> str:
    """The file of a part, as a message shows it."""
    return f"{type(part).__module__.replace('.', '/')}.py"


def _parts(model: Model) -> Iterator[Part]:
    """The parts of a model that take a share in its training."""
    yield model.bound
    yield model.regularizer
    yield from (
        each for name, each in model.named_modules() if isinstance(each, Part) and not name.startswith("density")
    )
