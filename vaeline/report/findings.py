"""Everything that the plots and the page of a study are made from: its runs, their comparison, and the real test images."""

from dataclasses import dataclass

from vaeline.report.comparison import Comparison
from vaeline.report.real_images import RealImages
from vaeline.report.results import Results, Run


@dataclass(frozen=True)
class Findings:
    """The runs of a study, their comparison, and the test images."""

    results: Results
    comparison: Comparison
    real: RealImages | None = None  # None if the store of images is unavailable

    @property
    def variants(self) -> list[str]:
        """The variants of the study, in its order."""
        return self.results.study.variants

    @property
    def noise(self) -> str:
        """Whether samples are means of p(x|z), `mean`, or have its noise, `drawn`."""
        noise: str = self.results.settings.get("sampling", {}).get("noise", "mean")
        return noise

    def titled(self, variant: str) -> str:
        """The title of a panel of a variant's samples."""
        return f"{variant}, with noise" if self.noise == "drawn" else variant

    def first_runs(self) -> dict[str, Run]:
        """Each variant's first run; a variant without runs is left out."""
        return {variant: runs[0] for variant in self.variants if (runs := self.results.of(variant))}

    def first_runs_with(self, name: str) -> dict[str, Run]:
        """Each variant's first run whose samples.h5 contains the dataset `name`."""
        runs = {variant: [run for run in self.results.of(variant) if name in run.drawn] for variant in self.variants}
        return {variant: of_variant[0] for variant, of_variant in runs.items() if of_variant}

    def first_runs_failing(self, name: str) -> dict[str, Run]:
        """Each variant's first run, if it has images of the failures `name` (`reconstructions`, `low_posterior`)."""
        return {variant: run for variant, run in self.first_runs().items() if name in run.failures and run.levels}
