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
        limit="71% of the step are convolutions and their gradients in oneDNN, which both sides call, and batch norm is another 13%.",
    ),
    Row(
        "step_bf16", "the same, bf16", "images", "the step as plain PyTorch has it, fp32",
        2.1, 2.6, STEP, Side(OURS, "ours_training", "face_steps", ("bf16-mixed",)),
        limit="42% of the step are convolutions, 16% batch norm, which stays in 32 bits, 8% copies between 16 and 32 bits.",
    ),
    Row(
        "train_mlp", "training, MNIST MLP, batches of 64, fp32", "images", "Pythae's BaseTrainer",
        1.4, 2.3, Side(PEERS, "pythae", "training", ("mlp",)), Side(OURS, "ours_training", "training", ("mlp", "32-true")),
        limit="matrix products take 1.35 ms of a step of 3.1 ms, Adam 0.35 ms, 60 small operations the rest. A bare loop around the model reaches 22,200 images/s, with torch.compile 26,900, which 18 s of compilation come before.",
    ),
    Row(
        "train_conv", "training steps, MNIST conv, fp32", "images", "Pythae's BaseTrainer",
        1.0, 1.1, PYTHAE_CONV, Side(OURS, "ours_training", "steps", ("conv", "32-true")),
        limit="94% of the step are convolutions in oneDNN, which both sides call. Without channels_last, which every network of this project is faster with, this one would gain another tenth.",
    ),
    Row(
        "train_conv_bf16", "the same, bf16", "images", "Pythae's BaseTrainer, fp32",
        1.35, 1.6, PYTHAE_CONV, Side(OURS, "ours_training", "steps", ("conv", "bf16-mixed")),
        limit="as without bf16: convolutions in oneDNN.",
    ),
    Row(
        "batches", "batches with flip and rotation", "images", "JPEG files by torch's DataLoader, two workers",
        8.0, 12.0, Side(PEERS, "image_loader", "batches"), Side(OURS, "ours_data", "batches"),
        limit="27% are the turned images' interpolation, 29% copies to 32 bits and to channels last, 9% the grid.",
    ),
    Row(
        "preprocess", "JPEG to 86x86, HDF5 written, one core", "images", "Pillow",
        1.8, 2.2, Side(OURS, "pillow", "preprocess"), Side(OURS, "ours_data", "preprocess", ("1",)), threads=1,
        limit="48% of the time are libjpeg-turbo, which Pillow has too; 15% resizing, 10% HDF5, 8% reading the archive, 5% checksums of source and store, which Pillow's side has none of.",
    ),
    Row(
        "preprocess_cores", "the same on two cores", "images", "ours on one",
        1.5, 1.7, Side(OURS, "ours_data", "preprocess", ("1",)), Side(OURS, "ours_data", "preprocess", ("2",)),
        limit="decoding alone scales by 1.97. The check of the source before, 7% of the time, is one thread's; the cores are used to 90% after it, since Python between decoding, resizing and writing is one thread at a time, and take 8% more time for the same.",
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
        limit="half are eigenvalues of one 2048x2048 matrix, a third two products, a sixth a Cholesky factor, all of them in MKL.",
    ),
    Row(
        "importance_mlp", "importance sampling, MNIST MLP, fp32", "samples", "Pythae's get_nll",
        3.3, 5.0, Side(PEERS, "pythae", "likelihood", ("mlp",)), Side(OURS, "ours_evaluation", "likelihood", ("mlp",)),
        limit="58% are the decoder's matrix products, 15% the softplus of its pixels.",
    ),
    Row(
        "importance_conv", "importance sampling, MNIST conv, fp32", "samples", "Pythae's get_nll",
        1.2, 1.4, Side(PEERS, "pythae", "likelihood", ("conv",)), Side(OURS, "ours_evaluation", "likelihood", ("conv",)),
    ),
    Row(
        "nothing", "`snakemake --cores 4 all` with nothing to do", "runs", "`snakemake -n` of an empty workflow",
        1 / 1.3, 1 / 1.1, Side(OURS, "engines", "empty"), Side(OURS, "engines", "study"),
        limit="Snakemake's own start and import take four fifths; the rest is pydantic, the parameters and a graph of fifty jobs.",
    ),
]  # fmt: skip
