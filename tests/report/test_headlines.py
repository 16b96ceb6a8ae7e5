"""How figures are presented."""

from vaeline.report.headlines import HEADLINES

DIRECTIONS = {
    "lower": {
        "negative_elbo", "nll", "nll_refit", "nll_given_label", "nll_given_label_refit", "bits_per_dim",
        "bits_per_dim_given_label", "skl",
        *(f"{space}_{of}" for space in ("fd", "fid", "kd", "kid") for of in ("reconstruction", "sample", "low_posterior")),
        "fd_sample_by_label", "fid_sample_by_label",
    },
    "higher": {
        "precision", "recall", "density", "coverage", "probe_linear", "probe_neighbours", "mig", "condition_accuracy",
    },
    None: {
        "leaked_share", "leakage", "mutual_information", "active_units", "codebook_perplexity", "log_det_deviation",
        "distortion", "rate", "sigma", "effective_sample_size", "parameters",
    },
}  # fmt: skip


def test_every_figure_points_where_it_should() -> None:
    found = {better: {name for name, of in HEADLINES.items() if of.better == better} for better in DIRECTIONS}
    assert found == DIRECTIONS
