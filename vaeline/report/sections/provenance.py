"""The section "Provenance": stages with their costs, data, environment, and the whole study."""

from dataclasses import dataclass

from vaeline.report.provenance import Provenance
from vaeline.report.sections.section import Section
from vaeline.study import ready_studies
from vaeline.study.schema import Study


@dataclass(frozen=True)
class ProvenanceSection(Section):
    """What the report comes from."""

    id, title, template = "provenance", "Provenance", "provenance.html.j2"

    made_of: Provenance
    params: str  # the study as YAML


def provenance_section(study: Study, made_of: Provenance) -> ProvenanceSection:
    """What the report comes from."""
    return ProvenanceSection(made_of, ready_studies.as_yaml(study))
