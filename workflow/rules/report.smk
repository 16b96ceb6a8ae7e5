"""The study as a whole: its report, and the hashes of the code behind it."""


# Its page shows the whole of params.yaml.
rule report:
    input:
        STORE,
        f"{REFERENCE}.json",
        collect(
            map(
                str,  # without the marks of Snakemake's report
                [*rules.train.output, *rules.sample.output, *rules.evaluate.output],
            ),
            variant=STUDY.study.variants,
            seed=STUDY.study.seeds,
            allow_missing=True,
        ),
    output:
        of_study("report.html", "Answer", "Report"),
        of_study("metrics.json", "Answer", "Means"),
        of_study("comparison.json", "Answer", "Values, intervals, comparisons"),
        "results/{study}/pareto.json",
        *drawing("pareto", "Answer", "Trade-offs"),
        *drawing("curves", "Training", "Curves"),
        *drawing("codes", "Latent spaces", "Codes"),
        *drawing("pockets", "Latent spaces", "Pockets and leaks"),
        of_study("traversals.png", "Latent spaces", "Traversals"),
        of_study("interpolations.png", "Latent spaces", "Interpolations"),
        *drawing("leakage", "Latent spaces", "Leakage"),
        of_study("switched.png", "Labels", "One label switched"),
        *drawing("by_attribute", "Labels", "Accuracy by attribute"),
        of_study("worst.png", "Failures", "Worst reconstructions"),
        of_study("low_posterior.png", "Failures", "Low-posterior samples"),
        of_study("samples.png", "Samples", "Samples"),
    params:
        *tracked(
            "study",
            "dataset",
            "training",
            "classifier",
            "sampling",
            "evaluation",
            "variants",
            "published",
            "code.report",
        ),
    message:
        "Drawing the report of {wildcards.study}."
    shell:
        "python -m pipeline_steps.report"


# DVC takes its hashes as parameters; Snakemake computes the same ones itself, and nothing has these files as an input.
rule code:
    input:
        sources(),
    output:
        f"results/{STUDY.study.name}/code.json",
        "data/code.json",
    params:
        *tracked("variants", "dataset.name", "evaluation.features"),
    message:
        "Hashing the code."
    shell:
        "python -m pipeline_steps.code"
