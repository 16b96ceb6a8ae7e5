"""Memory: importance sampling of many samples, images that stay on disk, freed memory that is kept."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.system import control_groups, memory
from vaeline.system.errors import UserError
from vaeline.system.memory import budget

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from Linux's /proc")

BUDGET = 128  # MiB in addition to torch, the network and the images, as docs/metrics.md says

# `ru_maxrss` would start from what the test's own process holds.
PEAK = """
def peak_megabytes():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024

"""
MEASURED = (
    PEAK
    + """
import numpy as np
import torch
from vaeline.data.batches import Batches
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation, Variant
from vaeline.data.facts import Facts
from vaeline.data.store import Split

torch.set_num_threads(1)
shape, network, images = {shape}, {network}, {images}
facts = Facts("tiny", shape, 256, (0.0, 1.0), ["digit"], [list("ab")], counts={{"train": images, "test": images}})
model = Model(Variant.model_validate({{
    "network": network, "latent": 16, "condition": None, "posterior": {{"name": "gaussian"}},
    "prior": {{"name": "standard"}}, "likelihood": {{"name": "optimal_sigma"}}, "regularizer": {{"name": "kl"}},
}}), facts).eval()
generator = np.random.default_rng(0)
pixels = generator.integers(0, 256, (images, *shape), dtype=np.uint8)
batches = Batches(Split(pixels, np.arange(images)[:, None] % 2, [""] * images), facts, 100)


def peak(samples):
    settings = Evaluation(likelihood={{"method": "{method}", "samples": samples}}, bound_samples=1, features={{"name": "classifier"}})
    measure_likelihood(model, batches, batches, settings)
    return peak_megabytes()


torch.func.jvp(torch.nn.Linear(1, 1), (torch.zeros(1, 1),), (torch.zeros(1, 1),))  # loads modules of torch's own
before = peak_megabytes()
first = peak(10)
print(first - before, peak({samples}) - first)
"""
)


FACES = pytest.mark.slow(reason="faces are measured with the same proposal, and digits with the other one")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("shape", "network", "images", "method", "samples"),
    [
        pytest.param((1, 28, 28), {"name": "mlp", "widths": [400]}, 4, "posterior", 21_000, marks=FACES),
        ((1, 28, 28), {"name": "mlp", "widths": [400]}, 4, "laplace", 21_000),
        ((3, 86, 86), {"name": "conv", "width": 8}, 30, "posterior", 50),
    ],
    ids=["digits", "modes of digits", "faces"],
)
def test_the_likelihood_has_a_constant_memory_use(
    shape: tuple[int, ...], network: dict[str, object], images: int, method: str, samples: int
) -> None:
    code = MEASURED.format(shape=shape, network=network, images=images, method=method, samples=samples)
    # Tensors in memory of their own: how torn the heap gets differs from run to run.
    apart = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=apart)
    few, more = map(float, done.stdout.split())
    assert few + more < BUDGET
    assert more < BUDGET / 3


STREAMED = (
    PEAK
    + """
import sys
from pathlib import Path
from vaeline.data.batches import Batches
from vaeline.data.store import read_facts, read_split

path = Path("tiny.h5")
before = peak_megabytes()
for most in (0, 10**9):
    for x, _ in Batches(read_split(path, "train", most), read_facts(path), 10).shuffled(0):
        pass
    print(peak_megabytes() - before)
"""
)


def test_images_on_disk_are_never_all_in_memory(tmp_path: Path) -> None:
    count, shape = 2_000, (1, 200, 200)
    images = np.zeros((count, *shape), np.uint8)
    counts = {"train": count, "validation": 2, "test": 2}
    splits = {name: Split(images[:n], np.zeros((n, 1), int), [""] * n) for name, n in counts.items()}
    store.write(tmp_path / "tiny.h5", Facts("tiny", shape, 256, (0.0, 1.0), ["digit"], [list("ab")]), splits)
    ran = subprocess.run([sys.executable, "-c", STREAMED], check=True, cwd=tmp_path, capture_output=True, text=True)
    streamed, whole = map(float, ran.stdout.split())
    assert streamed < images.nbytes / 2**20 < whole


FAULTS = """
import resource

import torch
from vaeline.system.devices import prepare_process

prepare_process(1)
faults = []
for _ in range(25):  # the first few enlarge the heap
    torch.ones(12_000_000)  # 11,719 pages
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[14])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept where the C library is glibc")
def test_freed_memory_is_reused() -> None:
    ran = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 2 * 11_719


@pytest.mark.parametrize("given", ["", "much", "0", "-1", "nan", "inf"])
def test_a_memory_budget_must_be_a_number(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAELINE_MEMORY", given)
    with pytest.raises(UserError, match="give the gigabytes"):
        budget()


def test_the_default_budget_is_an_eighth_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAELINE_MEMORY", raising=False)
    assert 0 < budget() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 8
    monkeypatch.setenv("VAELINE_MEMORY", "2.5")
    assert budget() == 2_500_000_000


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 64 GiB without limits: its control groups are in the folder, /proc/self/cgroup is `groups` there."""
    monkeypatch.delenv("VAELINE_MEMORY", raising=False)
    for name in [each for each in os.environ if each.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 2**24, "SC_PAGE_SIZE": 4096}.__getitem__)
    monkeypatch.setattr(control_groups, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(control_groups, "LIMITS", tmp_path)
    assert budget() == 2**36 // 8
    return tmp_path


def write_limit(group: Path, name: str, limit: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / name).write_text(limit + "\n")


@pytest.mark.parametrize("of", ["job/step", "job", ""])
def test_a_limit_of_a_group_or_of_one_above_it_counts(groups: Path, of: str) -> None:
    (groups / "groups").write_text("0::/job/step\n")
    for group in ("job/step", "job", ""):
        write_limit(groups / group, "memory.max", str(2**30) if group == of else "max")
    assert budget() == 2**27


def test_a_limit_of_the_first_version_of_groups_counts(groups: Path) -> None:
    (groups / "groups").write_text("5:cpu,memory:/here\n3:cpuset:/\n0::/\n")
    write_limit(groups / "memory" / "here", "memory.limit_in_bytes", str(2**31))
    write_limit(groups / "memory", "memory.limit_in_bytes", "9223372036854771712")
    assert budget() == 2**28


def test_the_root_of_a_container_has_its_limit(groups: Path) -> None:
    (groups / "groups").write_text("0::/docker/0123\n")
    write_limit(groups, "memory.max", str(2**30))
    assert budget() == 2**27


@pytest.mark.parametrize(
    ("given", "megabytes"),
    [
        ({"SLURM_MEM_PER_NODE": "2048"}, 2048),
        ({"SLURM_MEM_PER_CPU": "512", "SLURM_CPUS_ON_NODE": "4"}, 2048),
        ({"SLURM_MEM_PER_CPU": "512", "SLURM_CPUS_PER_TASK": "2"}, 1024),
        ({"SLURM_MEM_PER_CPU": "512"}, 512),
        ({"SLURM_MEM_PER_NODE": "0"}, 2**16),
        ({"SLURM_MEM_PER_NODE": "much"}, 2**16),
        ({"SLURM_MEM_PER_NODE": "2048", "SLURM_MEM_PER_CPU": "4096"}, 2048),
    ],
)
def test_the_memory_of_a_job_under_slurm_counts(
    groups: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], megabytes: int
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert budget() == memory.available() // 8 == megabytes * 2**20 // 8
    monkeypatch.setenv("VAELINE_MEMORY", "30")
    assert budget() == 30_000_000_000


def test_the_peak_stays_when_memory_is_freed() -> None:
    code = """
from vaeline.system.memory import peak
before = peak()
held = bytearray(200_000_000)
del held
print(peak() - before)
"""
    held_here = bytearray(400_000_000)
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert 190_000_000 < int(printed) < 210_000_000
    assert held_here


def test_outside_linux_the_peak_comes_from_getrusage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = memory.peak()
    monkeypatch.setattr(memory, "STATUS", tmp_path / "absent")
    assert 0.5 < memory.peak() / told < 4
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory.peak() < told / 100  # where the unit is a byte
