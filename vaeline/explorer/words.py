"""Settings in words: what a person reads under the pictures, on the page and in a saved picture."""

from collections.abc import Callable, Collection, Mapping

from vaeline.data.columns import NO_YES
from vaeline.data.facts import Facts
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.runs.drawing import INTERPOLATION_STEPS


def label_in_words(facts: Facts, name: str, value: str) -> str:
    """One label, as in `digit 3`, `Smiling` or `not Smiling`."""
    title = name.replace("_", " ")
    if facts.label_values[facts.column(name)] == NO_YES:
        return title if value == "yes" else f"not {title}"
    return f"{title} {value}"


def labels_in_words(facts: Facts, labels: Mapping[str, str], chosen: Collection[str] = ()) -> str:
    """The labels of an image, as in `digit 3` or `Male, Smiling`. Attributes that it does not have are left out.

    Labels that a person has chosen come first, and are not left out.
    """
    ordered = {name: labels[name] for name in [*chosen, *labels]}
    of_yes_no = [name for name in labels if facts.label_values[facts.column(name)] == NO_YES and name not in chosen]
    words = [
        label_in_words(facts, *label) for label in ordered.items() if label[1] != "no" or label[0] not in of_yes_no
    ]
    return ", ".join(words) or ("no attribute" if labels else "")


def moves_in_words(run: ChosenRun) -> str:
    """The latents of a run that are moved, as in `latent 3 +1.2 sd`; empty if none is."""
    return ", ".join(f"latent {latent} {by:+g} sd" for latent, by in run.moved.items())


def explain(
    settings: Settings,
    facts: Facts,
    conditional: bool,
    labels_of: Callable[[int], dict[str, str]],
    direction_counts: Callable[[str, str], tuple[int, int]],
) -> list[str]:
    """Sentences that say what the pictures of all runs show.

    Args:
        settings: what the pictures were made from.
        facts: of the images.
        conditional: whether any model uses labels.
        labels_of: index of a test image -> its labels.
        direction_counts: label, value -> training images with it, and without it.
    """

    def image(row: int) -> str:
        return f"test image {row} ({labels_in_words(facts, labels_of(row))})".removesuffix(" ()")

    found = {"draws": _of_draws, "edit": _of_edit, "interpolation": _of_interpolation}[settings.show](
        settings, image, conditional
    )
    if conditional and settings.labels:
        found.append(f"Set labels: {', '.join(label_in_words(facts, *each) for each in settings.labels.items())}.")
    amounts = [(name, *each) for name, values in settings.directions.items() for each in values.items()]
    found += [
        _of_direction(label_in_words(facts, *each[:2]), each[2], *direction_counts(*each[:2])) for each in amounts
    ]
    return found


def _of_direction(label: str, amount: float, there: int, others: int) -> str:
    return (
        f"Added to all latents: {amount:+g} times the direction of {label}, which is the mean latent of {there:,} training images that have "
        f"it, less that of {others:,} that do not."
    )


def _of_draws(settings: Settings, image: Callable[[int], str], conditional: bool) -> list[str]:
    same = f"noise seed {settings.noise}" + (" and the same labels" if conditional else "")
    pixels = "draws of p(x|z), with its noise" if settings.pixels == "drawn" else "means of p(x|z)"
    return [f"Each model samples from its own prior p(z). All use {same}.", f"Pixels are {pixels}."]


def _of_edit(settings: Settings, image: Callable[[int], str], conditional: bool) -> list[str]:
    changes = "latents and labels" if conditional else "latents"
    return [
        f"Each model encodes {image(settings.image)} and decodes its latent twice: unchanged (Reconstruction), and with your changes "
        f"of {changes} (Edit)."
    ]


def _of_interpolation(settings: Settings, image: Callable[[int], str], conditional: bool) -> list[str]:
    halves = ["Each half of the path has the labels of its end, unless you set them."] if conditional else []
    return [
        f"Each model encodes {image(settings.image)} and {image(settings.to)}, and decodes {INTERPOLATION_STEPS} latents "
        "on the path from one to the other.",
        *halves,
    ]
