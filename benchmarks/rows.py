"""What is raced, against what, and how much faster it has to be."""

from dataclasses import dataclass

from benchmarks.race import OURS, PEERS, Side


@dataclass(frozen=True)
class Row:
    """A race, and the ratio of ours to the baseline that it has to reach."""

    name: str
    work: str
    unit: str  # of what a rate counts a second
    against: str
    gate: float  # under it, `make bench` fails
    aim: float
    baseline: Side
    ours: Side
    threads: int = 2
    limit: str = ""  # what keeps it under its aim, with the profile that shows it


STEP = Side(PEERS, "torch_script", "step")
PYTHAE_CONV = Side(PEERS, "pythae", "steps", ("conv",))

ROWS = [
    Row(
        "step", "training step, 86x86 CVAE with flow, batch 128, fp32", "images", "the step as plain PyTorch has it",
        1.15, 1.4, STEP, Side(OURS, "ours_training", "face_steps", ("32-true",)),
    ),
    Row(
        "step_bf16", "the same, bf16", "images", "the step as plain PyTorch has it, fp32",
        2.1, 2.6, STEP, Side(OURS, "ours_training", "face_steps", ("bf16-mixed",)),
    ),
    Row(
        "train_mlp", "training, MNIST MLP, batches of 64, fp32", "images", "Pythae's BaseTrainer",
        1.4, 2.3, Side(PEERS, "pythae", "training", ("mlp",)), Side(OURS, "ours_training", "training", ("mlp", "32-true")),
    ),
    Row(
        "train_conv", "training steps, MNIST conv, fp32", "images", "Pythae's BaseTrainer",
        1.0, 1.1, PYTHAE_CONV, Side(OURS, "ours_training", "steps", ("conv", "32-true")),
    ),
    Row(
        "train_conv_bf16", "the same, bf16", "images", "Pythae's BaseTrainer, fp32",
        1.35, 1.6, PYTHAE_CONV, Side(OURS, "ours_training", "steps", ("conv", "bf16-mixed")),
    ),
    Row(
        "batches", "batches with flip and rotation", "images", "JPEG files by torch's DataLoader, two workers",
        8.0, 12.0, Side(PEERS, "image_loader", "batches"), Side(OURS, "ours_data", "batches"),
    ),
    Row(
        "preprocess", "JPEG to 86x86, HDF5 written, one core", "images", "Pillow",
        2.2, 3.0, Side(OURS, "pillow", "preprocess"), Side(OURS, "ours_data", "preprocess", ("1",)), threads=1,
    ),
    Row(
        "preprocess_cores", "the same on two cores", "images", "ours on one",
        1.7, 2.0, Side(OURS, "ours_data", "preprocess", ("1",)), Side(OURS, "ours_data", "preprocess", ("2",)),
    ),
    Row(
        "streaming", "training steps on 200,000 faces that stay on disk", "images", "the same held in memory",
        0.9, 1.0, Side(OURS, "ours_streaming", "steps", ("10000000000",)), Side(OURS, "ours_streaming", "steps", ("0",)),
    ),
    Row(
        "inception", "Inception activations, fp32", "images", "pytorch-fid's get_activations",
        1.6, 1.9, Side(PEERS, "pytorch_fid", "activations"), Side(OURS, "ours_evaluation", "activations"),
    ),
    Row(
        "frechet", "Fréchet distance, 2048 dimensions", "distances", "pytorch-fid's calculate_frechet_distance",
        15.0, 25.0, Side(PEERS, "pytorch_fid", "distance"), Side(OURS, "ours_evaluation", "distance"),
    ),
    Row(
        "importance_mlp", "importance sampling, MNIST MLP, fp32", "samples", "Pythae's get_nll",
        3.3, 5.0, Side(PEERS, "pythae", "likelihood", ("mlp",)), Side(OURS, "ours_evaluation", "likelihood", ("mlp",)),
    ),
    Row(
        "importance_conv", "importance sampling, MNIST conv, fp32", "samples", "Pythae's get_nll",
        1.2, 1.4, Side(PEERS, "pythae", "likelihood", ("conv",)), Side(OURS, "ours_evaluation", "likelihood", ("conv",)),
    ),
    Row(
        "nothing", "`snakemake --cores 4 all` with nothing to do", "runs", "`snakemake -n` of an empty workflow",
        1 / 1.3, 1 / 1.1, Side(OURS, "engines", "empty"), Side(OURS, "engines", "study"),
    ),
]  # fmt: skip
