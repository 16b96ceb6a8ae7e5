"""From a matplotlib figure to bytes."""

from io import BytesIO

from matplotlib.figure import Figure
from PIL import Image

from vaeline.report.plots.shared import rendering
from vaeline.system.plot_style import INK


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("Negative ELBO")
    return figure


def test_a_png_is_the_same_bytes_each_time() -> None:
    content = rendering.png(drawn)
    assert content == rendering.png(drawn)
    assert Image.open(BytesIO(content)).size == (240, 120)
    assert not Image.open(BytesIO(content)).text.keys() & {"Software", "Creation Time"}  # type: ignore[attr-defined]


def test_a_plot_of_the_page_takes_its_ink_from_the_page() -> None:
    content = rendering.svg_for_page(drawn)
    assert content == rendering.svg_for_page(drawn)
    assert content.count(INK.encode()) == 1 and rendering.WHITE.encode() not in content
    for part in (b"currentColor", b"prefers-color-scheme:dark", b"Negative ELBO"):
        assert part in content


def test_a_sentence_is_a_low_picture() -> None:
    assert Image.open(BytesIO(rendering.png(lambda: rendering.sentence("Nothing.")))).size == (720, 72)
