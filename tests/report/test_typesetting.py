"""Signs of numbers as they are printed."""

import pytest

from vaeline.report.typesetting import breakable, inlined, typeset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", "—"),
        ("-3.1 ± 0.4", "−3.1 ± 0.4"),
        ("<= -0.5", "≤ −0.5"),
        ("-.5 to -0.25", "−.5 to −0.25"),
        ("+1.2e-05", "+1.2e−05"),
        ("(-2)", "(−2)"),
        (
            "not compared: features pytorch-fid there, inception-v3 here",
            "not compared: features pytorch-fid there, inception-v3 here",
        ),
        ("CIFAR-10, 2019-11-21, t-interval", "CIFAR-10, 2019-11-21, t-interval"),
        ("10.5-bit", "10.5-bit"),
    ],
)
def test_a_hyphen_is_a_minus_sign_in_numbers_alone(text: str, expected: str) -> None:
    assert typeset(text) == expected


def test_a_name_is_escaped_and_breaks_after_underscores() -> None:
    assert breakable("a_<b>") == "a_<wbr>&lt;b&gt;"


def test_a_file_is_put_into_its_address() -> None:
    assert inlined(b"PNG", "png") == "data:image/png;base64,UE5H"
    assert inlined(b"<svg/>", "svg").startswith("data:image/svg+xml;base64,")
