"""The steps of one run: train, sample, evaluate one variant with one seed."""

RUN = "results/{study}/runs/{variant}/seed-{seed}"
RUN_LOGS = "logs/{study}/{variant}/seed-{seed}"
CLASSIFIER = f"data/{STUDY.dataset.id}.classifier.safetensors"
REFERENCE = f"data/{STUDY.dataset.id}.{STUDY.evaluation.features.name}"


rule train:
    """Train a variant from a seed."""
    input:
        STORE,
        CHOICE,
    output:
        f"{RUN}/model.safetensors",
        f"{RUN}/variant.yaml",
        f"{RUN}/training.csv",
    log:
        f"{RUN_LOGS}.train.log",
    threads: at_most(STUDY.training.threads)
    resources:
        **asks("train", devices=PROCESSES, processes=PROCESSES),
    params:
        *tracked("training", "variants.{variant}", "code.train.{variant}"),
    message:
        "Training {wildcards.variant}, seed {wildcards.seed}."
    shell:
        logged(
            "python -m pipeline_steps.train --variant {wildcards.variant} --seed {wildcards.seed}"
        )


rule sample:
    """Draw images from a trained model."""
    input:
        STORE,
        f"{RUN}/model.safetensors",
        f"{RUN}/variant.yaml",
    output:
        f"{RUN}/samples.h5",
        *[
            shown(
                f"{RUN}/{picture}.png",
                "Runs",
                "run",
                variant="{variant}",
                seed="{seed}",
                picture=picture,
            )
            for picture in ("reconstructions", "samples")
        ],
    log:
        f"{RUN_LOGS}.sample.log",
    threads: at_most(STUDY.training.threads)
    resources:
        **asks("sample", devices=1),
    params:
        *tracked(
            "sampling", "training.device", "training.threads", "code.sample.{variant}"
        ),
    message:
        "Sampling {wildcards.variant}, seed {wildcards.seed}."
    shell:
        logged(
            "python -m pipeline_steps.sample --variant {wildcards.variant} --seed {wildcards.seed}"
        )


rule evaluate:
    """Measure a trained model on the test split."""
    input:
        STORE,
        CLASSIFIER,
        f"{REFERENCE}.reference.safetensors",
        f"{REFERENCE}.json",
        f"{RUN}/model.safetensors",
        f"{RUN}/variant.yaml",
        f"{RUN}/samples.h5",
    output:
        f"{RUN}/metrics.json",
        f"{RUN}/evaluation.json",
    log:
        f"{RUN_LOGS}.evaluate.log",
    threads: at_most(STUDY.training.threads)
    resources:
        **asks("evaluate", devices=1),
    params:
        *tracked(
            "evaluation",
            "training.device",
            "training.threads",
            "code.evaluate.{variant}",
        ),
    message:
        "Evaluating {wildcards.variant}, seed {wildcards.seed}."
    shell:
        logged(
            "python -m pipeline_steps.evaluate --variant {wildcards.variant} --seed {wildcards.seed}"
        )
