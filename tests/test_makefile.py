"""`make setup` installs extras with the environment, and keeps them until they are named anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Instead of uv: makes an environment that is this one, and notes the files that it is asked to install.
UV = """#!/bin/sh
if [ "$1" = venv ]; then mkdir -p .venv/bin && printf '#!/bin/sh\\necho .\\n' >.venv/bin/python && chmod +x .venv/bin/python; fi
if [ "$2" = sync ]; then for each; do case $each in *.lock) printf '%s ' "$each";; esac; done >>installed; fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path in (ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("requirements*.lock")):
        shutil.copy(path, tmp_path)
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    return tmp_path


def setup(project: Path, *words: str) -> str:
    """What a call of `make setup` installs, or the reason why it does not."""
    environment = os.environ | {"PATH": f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = ["make", "--no-print-directory", "setup", f"PYTHON={sys.executable}", *words]
    done = subprocess.run(command, cwd=project, env=environment, check=False, capture_output=True, text=True)
    installed = project / "installed"
    found = installed.read_text().strip() if installed.exists() else ""
    installed.unlink(missing_ok=True)
    return done.stderr if done.returncode else found


def test_extras_are_kept_by_later_calls(project: Path) -> None:
    assert setup(project) == "requirements.lock"
    assert setup(project, "EXTRAS=slurm s3") == "requirements.lock requirements-slurm.lock requirements-s3.lock"
    assert setup(project) == ""
    later = (project / ".venv/.ready").stat().st_mtime + 10
    os.utime(project / "requirements.lock", (later, later))
    assert setup(project) == "requirements.lock requirements-slurm.lock requirements-s3.lock"
    os.utime(project / "requirements.lock", (0, 0))
    assert setup(project, "EXTRAS=") == "requirements.lock"


def test_an_unknown_extra_is_refused(project: Path) -> None:
    assert 'EXTRAS is "gcs"; choose from: slurm s3 ssh' in setup(project, "EXTRAS=gcs")


def test_no_extra_changes_a_version_of_another_lock() -> None:
    """And no lock names the address of an index. What two extras bring is in both locks, in one version."""
    pins: dict[str, set[str]] = {}
    for path in [ROOT / "requirements.lock", *ROOT.glob("requirements-*.lock")]:
        text, found = path.read_text(encoding="utf-8"), dict[str, set[str]]()
        assert "://" not in text
        for line in text.splitlines():
            if "==" in line and not line.startswith(" "):
                found.setdefault(line.split("==")[0], set()).add(line)
        assert found and all(pins[name] == lines for name, lines in found.items() if name in pins)
        pins |= found
