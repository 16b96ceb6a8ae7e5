"""How text is set on the page: minus signs, breaks in long names, images inside the page."""

import re
from base64 import b64encode

from markupsafe import Markup

# A hyphen that belongs to a number: -3.1, 1e-05. That of pytorch-fid or 2019-11-21 does not.
MINUS = re.compile(r"(?<![\w.-])-(?=\.?\d)|(?<=\de)-(?=\d)")


def typeset(text: str) -> str:
    """Set the signs of numbers: a minus sign for a hyphen, one sign for `<=`, a dash for a missing number."""
    return "—" if text == "-" else MINUS.sub("−", text.replace("<= ", "≤ "))


def breakable(name: str) -> Markup:
    """A name that may be broken after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def inlined(content: bytes, form: str) -> str:
    """A PNG or SVG file as an address that contains its content.

    Args:
        content: of the file.
        form: `png` or `svg`.
    """
    kind = {"png": "png", "svg": "svg+xml"}[form]
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
