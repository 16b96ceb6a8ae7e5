"""The tuning of a variant: what its trials try, the trials, and the choice that its runs are trained with."""

TUNING = "results/{study}/tuning/{variant}"
TUNING_LOGS = "logs/{study}/{variant}"
CHOICE = "results/{study}/runs/{variant}/choice.json"


rule design:
    """Write what the trials of a variant try; also without trials, because DVC needs the folder."""
    output:
        f"{TUNING}/design.json",
    log:
        f"{TUNING_LOGS}/design.log",
    resources:
        **asks("design"),
    params:
        *tracked("tuning.trials", "tuning.space", "tuning.seed", "code.design"),
    message:
        "Designing the trials of {wildcards.variant}."
    shell:
        logged("python -m pipeline_steps.design --variant {wildcards.variant}")


rule trial:
    """Train a variant with other values for a few epochs, and score it."""
    input:
        STORE,
    output:
        f"{TUNING}/trial-{{trial}}/trial.json",
    log:
        f"{TUNING_LOGS}/trial-{{trial}}.log",
    threads: at_most(STUDY.training.threads)
    resources:
        **asks("trial", devices=PROCESSES, processes=PROCESSES),
    params:
        *tracked(
            "tuning.epochs",
            "tuning.space",
            "tuning.metric",
            "tuning.seed",
            "training",
            "variants.{variant}",
            "code.trial.{variant}",
        ),
    message:
        "Trial {wildcards.trial} of {wildcards.variant}."
    shell:
        logged(
            "python -m pipeline_steps.trial --variant {wildcards.variant} --trial {wildcards.trial}"
        )


rule choose:
    """Choose the values that the runs of a variant are trained with."""
    input:
        f"{TUNING}/design.json",
        collect(
            f"{TUNING}/trial-{{trial}}/trial.json",
            trial=STUDY.tuning.trials,
            allow_missing=True,
        ),
    output:
        CHOICE,
    log:
        f"{TUNING_LOGS}/choose.log",
    resources:
        **asks("choose"),
    params:
        *tracked("tuning", "code.choose"),
    message:
        "Choosing the best trial of {wildcards.variant}."
    shell:
        logged("python -m pipeline_steps.choose --variant {wildcards.variant}")
