"""The files that all studies of a data set share: its images, its classifier, the statistics of its test images."""

STORE = f"data/{STUDY.dataset.id}.h5"


rule download:
    output:
        "data/raw/{id}.json",
    resources:
        **asks("download"),
    params:
        *tracked(
            "dataset",
            "evaluation.features",
            f"code.download.{STUDY.dataset.name}",
        ),
        f"source={FINGERPRINTS.get(SOURCE, '')}",  # DVC has the folder as an input
    message:
        "Fetching {wildcards.id}."
    shell:
        "python -m pipeline_steps.download"


rule preprocess:
    input:
        "data/raw/{id}.json",
    output:
        "data/{id}.h5",
    threads: at_most(4)
    resources:
        **asks("preprocess"),
    params:
        *tracked("dataset", f"code.preprocess.{STUDY.dataset.name}"),
    message:
        "Preparing the images of {wildcards.id}."
    shell:
        "python -m pipeline_steps.preprocess"


rule classifier:
    input:
        "data/{id}.h5",
    output:
        "data/{id}.classifier.safetensors",
    threads: at_most(STUDY.classifier.threads)
    resources:
        **asks("classifier", devices=1),
    params:
        *tracked("classifier", "training.device", "code.classifier"),
    message:
        "Training the classifier of {wildcards.id}."
    shell:
        "python -m pipeline_steps.classifier"


rule reference:
    input:
        "data/{id}.h5",
        "data/{id}.classifier.safetensors",
    output:
        "data/{id}.{features}.reference.safetensors",
        "data/{id}.{features}.json",
    threads: at_most(STUDY.classifier.threads)
    resources:
        **asks("reference", devices=1),
    params:
        *tracked(
            "evaluation.features",
            "evaluation.by_label",
            "sampling.count",
            "sampling.seed",
            "classifier.threads",
            "training.device",
            "code.reference.{features}",
        ),
        *given_weights_of(FINGERPRINTS),
    message:
        "Measuring the test images of {wildcards.id}."
    shell:
        "python -m pipeline_steps.reference"
