"""The unfinished or finished measurements of a run that are kept beside its checkpoints, and what decides every one of them."""

from dataclasses import asdict
from functools import partial

import torch

from pipeline_steps.code_hashes import hash_within
from vaeline.data.facts import Facts
from vaeline.evaluation.kept import Kept
from vaeline.runs.folder import RunKey
from vaeline.study import parts
from vaeline.study.schema import Study
from vaeline.system.state_files import key_of, state_folder

BATCH = 100  # images at a time, the same for all who measure a run


def kept_of_run(study: Study, run: RunKey, weights: str, facts: Facts, device: torch.device, **manner: object) -> Kept:
    """The kept measurements of a run.

    Args:
        study: that has its variant.
        run: that is measured.
        weights: checksum of its weights.
        facts: of the images.
        device: that it is measured on.
        manner: what else decides the measurements; those of each manner have a folder of their own.
    """
    variant = study.variants[run.variant]
    decides = {
        "weights": weights, "variant": variant.model_dump(mode="json"), "data": {**asdict(facts), "preprocessing": None},
        "threads": study.training.threads, "device": device.type, "torch": torch.__version__, **manner,
    }  # fmt: skip
    apart = f"-{key_of(manner)}" if manner else ""
    folder = state_folder(f"{study.study.name}-{run}{apart}-evaluation")
    return Kept(folder, decides, partial(hash_within, study, run.variant), tuple(parts.modules_of(variant)))
