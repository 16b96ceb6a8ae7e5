from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

if not workflow.modifier.is_main_snakefile():
    raise WorkflowError(
        "vaeline cannot be a module of another workflow, because Snakemake ignores the onstart and onsuccess of a module, which "
        "keep DVC's records; clone the project and run it there."
    )


report: "workflow/report/study.rst"


container: "vaeline.sif"  # of containers/apptainer.def, for `--sdm apptainer`


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/tuning.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/report.smk"


# On a cluster these run where Snakemake runs: they take seconds, or need the network, which nodes may not have.
localrules:
    code,
    design,
    choose,
    download,


# A job on another machine must have what the submitting process planned, and must not plan anew.
if workflow.is_main_process:
    os.environ[PLANNED] = planned()


envvars:
    PLANNED,


# Every output is a target. With the report alone, files of older runs would be taken for those of a failed run.
rule all:
    default_target: True
    input:
        every_output := targets(),
    message:
        "All files of the study are made."


if workflow.is_main_process:
    bridge.adopt(every_output)


onstart:
    scheduling.lift_default_rate_limit(workflow)
    if not workflow.touch:
        bridge.begin(sources(), every_output)


onsuccess:
    bridge.settle()


onerror:
    bridge.settle()
