"""What has changed in a study since it was compared: its settings, and what it asks of its runs."""

from typing import Any

from vaeline.report.claims import primary
from vaeline.report.comparison import Comparison
from vaeline.study.schema import Study, StudySection
from vaeline.study.settings import differences
from vaeline.study.step_settings import settings_of


def changes(compared: Comparison, study: Study) -> list[str]:
    """The keys of a study that differ from those of its comparison, each as `key old, now new`; empty if none does."""
    made, now = compared.settings | _asked_for(compared), settings_of(study, "report") | _asked_for(study.study)
    if compared.variants == study.study.variants:  # else its primary metrics are not known before it is compared
        made["study.primary"], now["study.primary"] = compared.primary, primary(study.study, compared.metrics)
    return differences(made, now)


def _asked_for(of: Comparison | StudySection) -> dict[str, Any]:
    """What is compared, which is no setting of a run."""
    return {
        "study.variants": of.variants,
        "study.seeds": of.seeds,
        "study.baseline": of.baseline,
        "study.looks": of.looks,
    }
