"""Which random numbers of an evaluation all runs share, and which are a run's own."""

from vaeline.system.seeds import derive_seed


def seed_of_run(seed: int, run_seed: int) -> int:
    """The seed of the draws that are a run's own: all of them but the noise of test images.

    Draws that all seeds share shift every run of a study alike, which an interval over seeds cannot see.

    Args:
        seed: `evaluation.seed`.
        run_seed: of the run.
    """
    return derive_seed("evaluation of a run", seed, run_seed)


def seed_of_images(seed: int) -> int:
    """The seed of the noise that dequantizes test images, the same for all runs.

    Test images, like the choice and the parts of them, are shared: comparisons are paired by image, and the crossed model of seeds
    and images takes an image for the same one under every seed.

    Args:
        seed: `evaluation.seed`.
    """
    return derive_seed("evaluation batches", seed)
