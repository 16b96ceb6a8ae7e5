"""The races: what is timed, against which baseline, and how much faster ours must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.race import OUR_PYTHON, PEER_PYTHON, Side

NO_GATE = 0.0  # where ours is known to be slower, and the page says why


@dataclass(frozen=True, kw_only=True)
class Row:
    """A race and its gate: one row of the table in docs/performance.md."""

    name: str  # on the command line: make bench ROWS="step frechet"
    work: str
    unit: str  # what is counted, per second
    against: str  # description of the baseline
    gate: float  # `make bench` fails if ours is less than this many times as fast as the baseline
    gates: Mapping[str, float] = field(default_factory=dict)  # other gates, by how the name of a kind of processor ends
    aim: float  # ratio we would like to reach
    baseline: Side
    ours: Side
    threads: int = 2
    limit: str = ""  # why ours does not reach the aim, according to a profile
    changed: str = ""  # the first day with the code of today, if ours took another time before

    def gate_on(self, kind: str) -> float:
        """The gate on a kind of processor."""
        return self.gates.get(kind.rpartition("-")[2], self.gate)


def _peer(module: str, function: str, *arguments: str) -> Side:
    return Side(PEER_PYTHON, module, function, arguments)


def _ours(module: str, function: str, *arguments: str) -> Side:
    return Side(OUR_PYTHON, module, function, arguments)


TRAINING = [
    Row(
        name="step",
        work="training step, 86x86 CVAE with flow, batch 128, fp32",
        unit="images",
        against="the step in plain PyTorch",
        gate=1.15,
        aim=1.4,
        baseline=_peer("torch_script", "step"),
        ours=_ours("ours_training", "face_steps", "32-true"),
        limit="Convolutions and their gradients in oneDNN, which both sides call, take 71% of the step. Batch norm takes 13%.",
    ),
    Row(
        name="step_bf16",
        work="training step, 86x86 CVAE with flow, batch 128, bf16",
        unit="images",
        against="the step in plain PyTorch, fp32",
        gate=1.5,
        gates={"amx": 2.1, "avx2": NO_GATE},
        aim=2.6,
        baseline=_peer("torch_script", "step"),
        ours=_ours("ours_training", "face_steps", "bf16-mixed"),
        limit="Convolutions take 42% of the step, batch norm, which stays in fp32, takes 16%, and copies between fp32 and bf16 take 8%. Without AVX-512, oneDNN has no kernels for 16 bits, and slow ones of torch take their place; a training warns of that.",
    ),
    Row(
        name="train_mlp",
        work="training, MNIST MLP, batches of 64, fp32",
        unit="images",
        against="Pythae's BaseTrainer",
        gate=1.4,
        aim=2.3,
        baseline=_peer("pythae", "training", "mlp"),
        ours=_ours("ours_training", "training", "mlp", "32-true"),
        limit="Products of matrices, which both sides call, take half of a step of 4.4 ms on an AMD EPYC, Adam 0.6 ms, which is the speed of its memory, and the small operations that are left 1.5 ms. Only a compiled step would fuse those: torch.compile reaches 1.2 times the rate of a bare loop on an Intel Xeon, after 18 s of compilation.",
    ),
    Row(
        name="train_conv",
        work="training steps, MNIST conv, fp32",
        unit="images",
        against="Pythae's BaseTrainer",
        gate=1.0,
        aim=1.1,
        baseline=_peer("pythae", "steps", "conv"),
        ours=_ours("ours_training", "steps", "conv", "32-true"),
        limit="Convolutions in oneDNN, which both sides call, take 94% of the step. All networks use channels_last, which makes every network of this project faster; without it, this one would be another 10% faster.",
    ),
    Row(
        name="train_conv_bf16",
        work="training steps, MNIST conv, bf16",
        unit="images",
        against="Pythae's BaseTrainer, fp32",
        gate=1.35,
        gates={"avx2": NO_GATE},
        aim=1.6,
        baseline=_peer("pythae", "steps", "conv"),
        ours=_ours("ours_training", "steps", "conv", "bf16-mixed"),
        limit="As in fp32, convolutions in oneDNN take most of the step; without AVX-512, see step_bf16.",
    ),
]

DATA = [
    Row(
        name="batches",
        work="batches with flip and rotation",
        unit="images",
        against="JPEG files read by torch's DataLoader with two workers",
        gate=3.5,
        gates={"amx": 8.0},
        aim=12.0,
        baseline=_peer("image_loader", "batches"),
        ours=_ours("ours_data", "batches"),
        limit="Interpolation of the rotated images takes 27%, copies to fp32 and to channels_last take 29%, and the sampling grid takes 9%.",
    ),
    Row(
        name="preprocess",
        work="JPEG to 86x86 in HDF5, one core",
        unit="images",
        against="Pillow",
        gate=1.8,
        aim=2.2,
        baseline=_ours("pillow", "preprocess"),
        ours=_ours("ours_data", "preprocess", "1"),
        threads=1,
        limit="libjpeg-turbo, which Pillow uses too, takes 48% of the time, resizing 15%, HDF5 10%, and reading the archive 8%. Checksums of source and store take 5%; the Pillow side computes none.",
    ),
    Row(
        name="preprocess_cores",
        work="JPEG to 86x86 in HDF5, two cores",
        unit="images",
        against="ours on one core",
        gate=1.5,
        aim=1.7,
        baseline=_ours("ours_data", "preprocess", "1"),
        ours=_ours("ours_data", "preprocess", "2"),
        limit="Decoding alone is 1.97 times as fast. The check of the source, 7% of the time, runs on one thread. After it, the cores are busy 90% of the time, since Python code between decoding, resizing and writing runs on one thread at a time, and the same work takes 8% more CPU time.",
    ),
    Row(
        name="streaming",
        work="training steps on 200,000 faces read from disk",
        unit="images",
        against="the same steps on images held in memory",
        gate=0.9,
        gates={"avx2": 0.85},
        aim=1.0,
        baseline=_ours("ours_streaming", "steps", "10000000000"),
        ours=_ours("ours_streaming", "steps", "0"),
    ),
]

EVALUATION = [
    Row(
        name="inception",
        work="Inception activations, fp32",
        unit="images",
        against="pytorch-fid's get_activations",
        gate=1.6,
        aim=1.9,
        baseline=_peer("pytorch_fid", "activations"),
        ours=_ours("ours_evaluation", "activations"),
    ),
    Row(
        name="frechet",
        work="Fréchet distance, 2048 dimensions",
        unit="distances",
        against="pytorch-fid's calculate_frechet_distance",
        gate=12.0,
        gates={"amx": 15.0},
        aim=25.0,
        baseline=_peer("pytorch_fid", "distance"),
        ours=_ours("ours_evaluation", "distance"),
        limit="All of the time is spent in MKL: half on the eigenvalues of one 2048x2048 matrix, a third on two products, a sixth on a Cholesky factor.",
    ),
    Row(
        name="importance_mlp",
        work="importance sampling, MNIST MLP, fp32",
        unit="samples",
        against="Pythae's get_nll",
        gate=3.0,
        gates={"amx": 3.3},
        aim=5.0,
        baseline=_peer("pythae", "likelihood", "mlp"),
        ours=_ours("ours_evaluation", "likelihood", "mlp"),
        limit="The decoder's matrix products take 58%, and the softplus of its pixels takes 15%.",
    ),
    Row(
        name="importance_conv",
        work="importance sampling, MNIST conv, fp32",
        unit="samples",
        against="Pythae's get_nll",
        gate=1.2,
        aim=1.4,
        baseline=_peer("pythae", "likelihood", "conv"),
        ours=_ours("ours_evaluation", "likelihood", "conv"),
    ),
    Row(
        name="modes_mlp",
        work="likelihood around the modes, 200 samples, MNIST MLP, fp32",
        unit="images",
        against="500 samples of q(z|x)",
        gate=1 / 3,
        aim=1 / 2,
        baseline=_ours("ours_evaluation", "estimates", "mlp", "posterior"),
        ours=_ours("ours_evaluation", "estimates", "mlp", "laplace"),
        changed="2026-11-30",
    ),
    Row(
        name="modes_faces",
        work="likelihood around the modes, 200 samples, 86x86 CVAE with flow, fp32",
        unit="images",
        against="500 samples of q(z|x)",
        gate=1 / 4,
        aim=1 / 2,
        baseline=_ours("ours_evaluation", "estimates", "faces", "posterior"),
        ours=_ours("ours_evaluation", "estimates", "faces", "laplace"),
        changed="2026-11-30",
    ),
]

WORKFLOW = [
    Row(
        name="unchanged",
        work="`snakemake --cores 4 all` with nothing to do",
        unit="runs",
        against="the same with a workflow of one rule",
        gate=1 / 1.8,
        aim=1 / 1.1,
        baseline=_ours("engines", "one_rule"),
        ours=_ours("engines", "study"),
        limit="Of about 0.7 s of CPU more than a workflow of one rule, imports and the schema of a study take 0.25 s, hashes of the code 0.1 s, and the rest is the graph of fifty jobs.",
    ),
]

ROWS = TRAINING + DATA + EVALUATION + WORKFLOW
