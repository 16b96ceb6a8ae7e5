"""The colour, stroke and marker of each variant, the same in every plot."""

from vaeline.system.plot_style import COLOURS, MARKERS, STROKES


def colours(variants: list[str]) -> dict[str, str]:
    """The colour of each variant."""
    return {variant: COLOURS[index % len(COLOURS)] for index, variant in enumerate(variants)}


def stroke_of(variants: list[str], variant: str) -> str:
    """The stroke of a variant's lines; variants that share a colour differ in stroke."""
    return STROKES[variants.index(variant) // len(COLOURS) % len(STROKES)]


def marker_of(variants: list[str], variant: str) -> str:
    """The marker of a variant's dots; variants that share a colour differ in marker."""
    return MARKERS[variants.index(variant) // len(COLOURS) % len(MARKERS)]
