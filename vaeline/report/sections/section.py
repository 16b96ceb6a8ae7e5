"""What every section of the page has."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Section:
    """The data of a section; the template reads its fields as `section.field`."""

    id: ClassVar[str]  # anchor of the section on the page
    title: ClassVar[str]
    template: ClassVar[str]  # file of vaeline/report/templates
