"""The study as a whole: its report, and the hashes of the code behind it."""


# Its page shows the whole of params.yaml.
rule report:
    input:
        STORE,
        collect(
            [*rules.train.output, *rules.sample.output, *rules.evaluate.output],
            variant=STUDY.study.variants,
            seed=STUDY.study.seeds,
            allow_missing=True,
        ),
    output:
        "results/{study}/metrics.json",
        "results/{study}/comparison.json",
        "results/{study}/curves.png",
        "results/{study}/samples.png",
        "results/{study}/codes.png",
        "results/{study}/pockets.png",
        "results/{study}/traversals.png",
        "results/{study}/switched.png",
        "results/{study}/interpolations.png",
        "results/{study}/worst.png",
        "results/{study}/low_posterior.png",
        "results/{study}/report.html",
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
