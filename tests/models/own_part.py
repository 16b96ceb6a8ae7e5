"""The source of a part of one's own that has no options, which a test writes to a file."""

FILE = """
import torch
from torch import nn

from vaeline.models.contracts import Terms
from {module} import {base}
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options, context):
    return Mine({arguments})


class Mine({base}):
    {body}
"""


def own_part(base: str, body: str, arguments: str = "") -> str:
    """The source of a part `mine`.

    Args:
        base: the class that it derives from: a name of vaeline/models/contracts.py, or a class with its module.
        body: of its class, each line indented.
        arguments: with which the class is called, as in "context.latent_shape".
    """
    module, _, name = f"vaeline.models.contracts.{base}".rpartition(".") if "." not in base else base.rpartition(".")
    return FILE.format(module=module, base=name, arguments=arguments, body=body.strip())
