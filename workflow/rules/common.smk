"""The study, and what its rules depend on and make."""

import json
import os
import shutil
import sys
from pathlib import Path

from snakemake.io import report as reported
from snakemake.io import strip_wildcard_constraints

# The project's root, whichever Snakefile is the entry.
sys.path.insert(
    0, str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1])
)

from pipeline_steps.closure import is_code
from pipeline_steps.code_hashes import hashes
from pipeline_steps.file_states import PACKAGES
from pipeline_steps.plan_check import PLANNED, SOURCE, WEIGHTS, plan
from vaeline.data import source_fingerprint
from vaeline.data.paths import DOWNLOAD
from vaeline.evaluation import given_weights
from vaeline.evaluation.catalogue import require_metrics
from vaeline.study import reading
from vaeline.study.step_settings import OF_RUN
from vaeline.system.errors import UserError, in_words
from vaeline.system.locks import QUEUED
from workflow import bridge, failed_jobs, scheduling
from workflow.given_config import check_config
from workflow.job_resources import Limits, Needs, hand_on_memory, limits

# `python` in a rule is that of this environment, whether or not it is activated.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
)
if workflow.remote_exec:
    os.environ[QUEUED] = "1"
    hand_on_memory(os.environ)

try:
    PARAMS = reading.read_yaml(reading.PARAMS)
    STUDY = reading.check_resolved(PARAMS, reading.PARAMS)
    check_config(config, PARAMS, reading.PARAMS)
    # This reads the entries of all metrics, so that a mistake in one stops the run here.
    require_metrics(STUDY)
    # A job on another machine has what the submitting process saw, and does not read a large source again.
    FINGERPRINTS = (
        json.loads(os.environ.get(PLANNED, "{}"))
        if workflow.remote_exec
        else {
            SOURCE: source_fingerprint.of_source(STUDY.dataset),
            WEIGHTS: given_weights.fingerprint(STUDY),
        }
    )
    HASHES = {"code": hashes(STUDY)}
except (UserError, OSError) as error:
    raise WorkflowError(str(in_words(error))) from None
TRACKED = set()  # the keys of all rules, with wildcards
config["study"] = PARAMS["study"]  # for the captions of Snakemake's report
NEEDS = Needs(STUDY)
PROCESSES = STUDY.training.processes  # of a training


# Only files of the active study can be asked for, because the parameters of other studies are not known here.
wildcard_constraints:
    study=STUDY.study.name,
    id=STUDY.dataset.id,
    features=STUDY.evaluation.features.name,
    variant="|".join(STUDY.study.variants),
    seed="|".join(map(str, STUDY.study.seeds)),
    trial="|".join(map(str, STUDY.tuning.trials)) or "none",


shell.prefix("set -euo pipefail; exec 3>&1; ")  # for `logged`


def logged(command):
    """The shell command of a step: what it prints as errors goes to its log and to the terminal, and has arrived when it ends."""
    return f"{command} 2>&1 >&3 | tee -i {{log}} >&2"


def tracked(*keys):
    """The parameters of a rule, each as `key=value`. The keys of params.yaml are those that dvc.yaml lists."""

    def parameter(key):
        return (
            lambda wildcards: f"{(path := key.format(**wildcards))}={json.dumps(lookup(path), sort_keys=True)}"
        )

    TRACKED.update(keys)
    return [parameter(key) for key in keys]


def given_weights_of(files):
    """The parameter of a study that gives its weights by path. DVC has none, because not every feature space has weights."""
    return [f"weights={files[WEIGHTS]}"] if files.get(WEIGHTS) else []


def asks(step, devices=0, processes=1):
    """The resources of a step: memory (MB) and time (minutes), which grow with the attempt, and the GPUs of a step that uses some."""
    asked = {
        "mem_mb": lambda wildcards, attempt: attempt
        * NEEDS.memory(step, wildcards.get("variant"), processes),
        "runtime": lambda wildcards, attempt: NEEDS.minutes_within(
            of_partition().minutes,
            step,
            grouped_with(step),
            wildcards.get("variant"),
            attempt,
        ),
    }
    return asked | ({"gpu": gpus(devices), "gpu_model": gpu_model} if devices else {})


def gpus(count):
    """So many, or none if the study uses none. On a machine without a GPU, trainings do not wait for each other; nodes may have some."""

    def needed(wildcards):
        may_have_some = (
            not workflow.local_exec or shutil.which("nvidia-smi") is not None
        )
        return count * int(STUDY.training.device != "cpu" and may_have_some)

    return needed


def gpu_model(wildcards):
    """The type of GPU that `--config gpu_model=a100` asks a cluster for."""
    return config.get("gpu_model") if gpus(1)(wildcards) else None


def at_most(count):
    """The threads of a rule: `count`, or as many CPUs as a node of the cluster has."""

    def threads(wildcards):
        return min(count, of_partition().threads or count)

    return threads


def grouped_with(step):
    """The steps that the profile or the command line makes one job with a step, and the step itself."""
    groups = workflow.group_settings.overwrite_groups
    return {
        each
        for each in {*OF_RUN, step}
        if groups.get(each, each) == groups.get(step, step)
    }


def of_partition():
    """The limits of the cluster's partition; none on this machine, nor on a node, where --cores limits the threads."""
    if workflow.local_exec or workflow.remote_exec:
        return Limits()
    return limits(default_partition())


def default_partition():
    """The partition that the profile or the command line names for all jobs; None if it names none."""
    given = workflow.resource_settings.default_resources
    named = dict(each.split("=", 1) for each in given.args) if given else {}
    return named.get("slurm_partition", "").strip("'\"") or None


def planned():
    """What the steps compare with what they find, as text for the environment."""
    keys = {
        key.format(variant=variant, features=STUDY.evaluation.features.name)
        for key in TRACKED
        for variant in STUDY.study.variants
    }
    return plan(STUDY, HASHES["code"], keys, FINGERPRINTS)


def shown(path, category, caption, **labels):
    """An output that Snakemake's report shows in a category, with a caption of workflow/report and labels for its columns."""
    return reported(
        path, category=category, caption=f"../report/{caption}.rst", labels=labels
    )


def of_study(name, category, title):
    """A file of the whole study that Snakemake's report shows, with the caption of the same name."""
    return shown(
        f"results/{{study}}/{name}", category, name.split(".")[0], output=title
    )


def plot(name, category, title):
    """Both files of a plot; the report shows the SVG, which can be enlarged."""
    return [f"results/{{study}}/{name}.png", of_study(f"{name}.svg", category, title)]


def lookup(path):
    """The value at a dotted key of params.yaml, or, below `code`, the hash of a step's code."""
    value = PARAMS | HASHES
    for key in path.split("."):
        value = value[key]
    return value


def sources():
    """All files of the code that is hashed."""
    files = (path for package in PACKAGES for path in Path(package).rglob("*"))
    return sorted(str(path) for path in files if is_code(path) and path.is_file())


def targets():
    """All files that the rules make for the study."""
    return [
        path
        for rule in workflow.rules
        for pattern in rule.output
        for path in expand(
            strip_wildcard_constraints(pattern),
            study=STUDY.study.name,
            id=STUDY.dataset.id,
            features=STUDY.evaluation.features.name,
            variant=STUDY.study.variants,
            seed=STUDY.study.seeds,
            trial=STUDY.tuning.trials,
        )
    ]
