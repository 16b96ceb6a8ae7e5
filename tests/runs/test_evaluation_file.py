"""evaluation.json: a checksum of what it says, not of how it is written."""

from pathlib import Path

from vaeline.runs.evaluation_file import MeasuredOn, read_evaluation, write_evaluation
from vaeline.runs.folder import EVALUATION

OF = MeasuredOn(variant="one", seed=0, weights_sha256="a", samples_sha256="b", data={"test": "c"})


def test_the_checksum_of_an_evaluation_is_of_its_values(tmp_path: Path) -> None:
    write_evaluation(tmp_path, OF, {"evaluation": {"seed": 0}}, {"nll": {"value": 1e-05}})
    path = tmp_path / EVALUATION
    before, text = read_evaluation(tmp_path).checksum, path.read_text()
    path.write_text(text.replace("1e-05", "1E-05"))
    assert read_evaluation(tmp_path).checksum == before
    write_evaluation(tmp_path, OF, {"evaluation": {"seed": 0}}, {"nll": {"value": 2e-05}})
    assert read_evaluation(tmp_path).checksum != before
