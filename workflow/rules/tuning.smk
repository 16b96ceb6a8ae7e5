"""The tuning of a variant: what its trials try, the trials, and the choice that its runs are trained with."""

TUNING = "results/{study}/tuning/{variant}"
CHOICE = "results/{study}/runs/{variant}/choice.json"


# Also without trials: DVC needs the folder.
rule design:
    output:
        f"{TUNING}/design.json",
    resources:
        **asks("design"),
    params:
        *tracked("tuning.trials", "tuning.space", "tuning.seed", "code.design"),
    message:
        "Designing the trials of {wildcards.variant}."
    shell:
        "python -m pipeline_steps.design --variant {wildcards.variant}"


rule trial:
    input:
        STORE,
    output:
        f"{TUNING}/trial-{{trial}}/trial.json",
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
        "python -m pipeline_steps.trial --variant {wildcards.variant} --trial {wildcards.trial}"


rule choose:
    input:
        f"{TUNING}/design.json",
        collect(
            f"{TUNING}/trial-{{trial}}/trial.json",
            trial=STUDY.tuning.trials,
            allow_missing=True,
        ),
    output:
        CHOICE,
    resources:
        **asks("choose"),
    params:
        *tracked("tuning", "code.choose"),
    message:
        "Choosing the best trial of {wildcards.variant}."
    shell:
        "python -m pipeline_steps.choose --variant {wildcards.variant}"
