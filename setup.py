"""What pyproject.toml cannot say: `studies/` of the repository is the folder `vaeline/studies` of the wheel."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["vaeline*", "pipeline_steps*"]), "vaeline.studies"],
    package_dir={"vaeline.studies": "studies"},
)
