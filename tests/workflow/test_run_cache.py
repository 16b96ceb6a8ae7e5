"""Entries of DVC's run cache that are written as JSON."""

from collections import OrderedDict
from pathlib import Path

from dvc.utils import serialize

from workflow.run_cache import entries_as_json


def test_dvc_reads_what_is_written_as_json(tmp_path: Path) -> None:
    # Strings that YAML without quotes would take for numbers, and numbers in every form.
    content = OrderedDict(
        cmd="python -m x 'ä: #'",
        md5="1234567890e12",
        deps=[{"a.b": [1e-05, 0, True, None, 1e300]}],
        params={"p": "0o14"},
    )
    by_dvc, by_us = tmp_path / "dvc.yaml", tmp_path / "us.yaml"
    before = serialize.dump_yaml
    serialize.dump_yaml(str(by_dvc), content)
    with entries_as_json():
        serialize.dump_yaml(str(by_us), content)
    assert serialize.dump_yaml is before
    assert serialize.load_yaml(str(by_us)) == serialize.load_yaml(str(by_dvc)) == content
