"""The whole study: its report, and the hashes of its code."""


rule report:
    """Compare the variants, and write the study's report."""
    input:
        STORE,
        CLASSIFIER,
        f"{REFERENCE}.json",
        collect(CHOICE, variant=STUDY.study.variants, allow_missing=True),
        collect(
            map(
                str,  # without the flags for Snakemake's report
                [*rules.train.output, *rules.sample.output, *rules.evaluate.output],
            ),
            variant=STUDY.study.variants,
            seed=STUDY.study.seeds,
            allow_missing=True,
        ),
    output:
        of_study("report.html", "Answer", "Report"),
        of_study("metrics.json", "Answer", "Means of the main metrics"),
        of_study("means.json", "Answer", "Means of all metrics"),
        of_study("comparison.json", "Answer", "Values, intervals, comparisons"),
        "results/{study}/pareto.json",
        *plot("pareto", "Answer", "Trade-offs"),
        *plot("curves", "Training", "Curves"),
        *plot("codes", "Latent spaces", "Codes"),
        *plot("pockets", "Latent spaces", "Pockets and leaks"),
        of_study("traversals.png", "Latent spaces", "Traversals"),
        of_study("interpolations.png", "Latent spaces", "Interpolations"),
        *plot("leakage", "Latent spaces", "Leakage"),
        of_study("switched.png", "Labels", "One label switched"),
        *plot("by_attribute", "Labels", "Accuracy by attribute"),
        of_study("worst.png", "Failures", "Worst reconstructions"),
        of_study("low_posterior.png", "Failures", "Low- and high-posterior samples"),
        of_study("samples.png", "Samples", "Samples"),
        of_study("nearest.png", "Samples", "Nearest training images"),
    log:
        "logs/{study}/report.log",
    resources:
        **asks("report"),
    # The page shows all of params.yaml.
    params:
        *tracked(
            "study",
            "dataset",
            "training",
            "tuning",
            "classifier",
            "sampling",
            "evaluation",
            "variants",
            "published",
            "code.report",
        ),
    message:
        "Writing the report of {wildcards.study}."
    shell:
        logged("python -m pipeline_steps.report")


# DVC takes the hashes as parameters. Snakemake computes the same hashes itself, and no rule has these files as an input.
rule code:
    """Hash the code of the steps, for DVC."""
    input:
        sources(),
    output:
        f"results/{STUDY.study.name}/code.json",
        "data/code.json",
    log:
        f"logs/{STUDY.study.name}/code.log",
    resources:
        **asks("code"),
    params:
        *tracked("study", "variants", "dataset.name", "evaluation.features"),
    message:
        "Hashing the code."
    shell:
        logged("python -m pipeline_steps.code")
