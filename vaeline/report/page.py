"""The report of a study: a single HTML file that makes no network requests."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import table, words
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.plots.shared.variant_colours import colours
from vaeline.report.provenance import Provenance
from vaeline.report.sections.answer import AnswerSection, answer_section
from vaeline.report.sections.definitions import DefinitionsSection, definitions_section
from vaeline.report.sections.header import Header, header
from vaeline.report.sections.image_grids import ImagesSection, images_section
from vaeline.report.sections.plots import (
    FailuresSection,
    LabelsSection,
    LatentsSection,
    failures_section,
    labels_section,
    latents_section,
)
from vaeline.report.sections.provenance import ProvenanceSection, provenance_section
from vaeline.report.sections.published import PublishedSection, published_section
from vaeline.report.sections.results_table import TableSection, table_section
from vaeline.report.sections.runs import RunsSection, runs_section
from vaeline.report.sections.section import Section
from vaeline.report.sections.trade_offs import TradeOffsSection, trade_offs_section
from vaeline.report.sections.training import TrainingSection, training_section
from vaeline.report.sections.tuning import TuningSection, tuning_section
from vaeline.report.typesetting import breakable, inlined, typeset
from vaeline.study.schema import Study

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """The page, from top to bottom; a section that no run has data for is None."""

    header: Header
    answer: AnswerSection
    table: TableSection
    published: PublishedSection | None
    trade_offs: TradeOffsSection | None
    images: ImagesSection | None
    labels: LabelsSection | None
    latents: LatentsSection | None
    failures: FailuresSection | None
    training: TrainingSection | None
    tuning: TuningSection | None
    definitions: DefinitionsSection
    runs: RunsSection
    provenance: ProvenanceSection

    @property
    def sections(self) -> list[Section]:
        """The sections that are shown, in order."""
        return [part for part in vars(self).values() if isinstance(part, Section)]


def compose(study: Study, plots: RenderedPlots, made_of: Provenance) -> Page:
    """Compute the data of every section.

    Args:
        study: whose runs they are.
        plots: of the study, with its findings.
        made_of: what the report comes from.
    """
    findings = plots.findings
    results, comparison = findings.results, findings.comparison
    rows, companions = table.rows(comparison), table.companion_rows(comparison)
    answer = answer_section(comparison)
    return Page(
        header=header(study, findings),
        answer=answer,
        table=table_section(comparison, rows),
        published=published_section(comparison),
        trade_offs=trade_offs_section(plots),
        images=images_section(plots),
        labels=labels_section(plots),
        latents=latents_section(plots),
        failures=failures_section(plots),
        training=training_section(findings),
        tuning=tuning_section(plots),
        definitions=definitions_section(results, rows, companions),
        runs=runs_section(findings, [each.name for each in answer.answers]),
        provenance=provenance_section(study, made_of),
    )


def render(page: Page) -> str:
    """Write the page as HTML."""
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return (
        _engine()
        .get_template("report.html.j2")
        .render(
            page=page,
            colours=colours(page.header.variants),
            script=Markup(script),
            script_hash=f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        )
    )


def _engine() -> Environment:
    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {"inlined": inlined, "typeset": typeset, "breakable": breakable, "number": table.number}
    engine.filters |= {"in_words": words.title, "of_reference": words.of_reference, "amount": words.amount}
    engine.globals |= {"metric_of": catalogue().metric}
    return engine
