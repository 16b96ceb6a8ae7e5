"""The section "Published values": values of papers next to those of this study."""

from dataclasses import dataclass

from vaeline.report import table
from vaeline.report.comparison import Comparison
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class PublishedSection(Section):
    """Published values next to those of this study."""

    id, title, template = "published", "Published values", "published.html.j2"

    rows: list[tuple[str, str, str, str, str]]  # metric and variant, published value, value here, difference, source


def published_section(comparison: Comparison) -> PublishedSection | None:
    """Published values, or None if the study names none."""
    rows = table.published(comparison)
    return PublishedSection(rows) if rows else None
