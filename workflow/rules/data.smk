"""The files that all studies of a data set share: its images, its classifier, the statistics of its test images."""

STORE = f"data/{STUDY.dataset.id}.h5"


rule download:
    """Fetch the data set, and the weights that the evaluation needs."""
    output:
        "data/raw/{id}.json",
    log:
        "logs/data/{id}.download.log",
    # A folder that is refused would be refused again.
    retries: 2 if STUDY.dataset.source == DOWNLOAD else 0
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
        logged("python -m pipeline_steps.download")


rule preprocess:
    """Write the store of images."""
    input:
        "data/raw/{id}.json",
    output:
        "data/{id}.h5",
    log:
        "logs/data/{id}.preprocess.log",
    threads: at_most(4)
    resources:
        **asks("preprocess"),
    params:
        *tracked("dataset", f"code.preprocess.{STUDY.dataset.name}"),
    message:
        "Preparing the images of {wildcards.id}."
    shell:
        logged("python -m pipeline_steps.preprocess")


rule classifier:
    """Train the classifiers that measure condition accuracy."""
    input:
        "data/{id}.h5",
    output:
        "data/{id}.classifier.safetensors",
    log:
        "logs/data/{id}.classifier.log",
    threads: at_most(STUDY.classifier.threads)
    resources:
        **asks("classifier", devices=1),
    params:
        *tracked("classifier", "training.device", "code.classifier"),
    message:
        "Training the classifier of {wildcards.id}."
    shell:
        logged("python -m pipeline_steps.classifier")


rule reference:
    """Measure the real test images in a feature space."""
    input:
        "data/{id}.h5",
        "data/{id}.classifier.safetensors",
    output:
        "data/{id}.{features}.reference.safetensors",
        "data/{id}.{features}.json",
    log:
        "logs/data/{id}.{features}.reference.log",
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
        logged("python -m pipeline_steps.reference")
