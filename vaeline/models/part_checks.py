"""What densities of vectors, and of codes, ask of the posterior."""

from vaeline.models.contracts import Context
from vaeline.system.errors import UserError


def vector_size(context: Context, part: str) -> int:
    """The dimensions of z; `part` says in the error whose density it is.

    Raises:
        UserError: the posterior makes codes.
    """
    if context.posterior == "codes":
        raise UserError(
            f"{part} is a density of vectors, but posterior vector_quantized makes codes; take prior uniform, and density pixelcnn "
            "or null."
        )
    return context.latent_shape[0]


def codes_and_size(context: Context, part: str) -> tuple[int, tuple[int, int]]:
    """The values of a code, and rows and columns of the map of codes.

    Raises:
        UserError: the posterior makes vectors.
    """
    if context.posterior != "codes":
        raise UserError(
            f"{part} is a density of codes, but this posterior makes vectors; take posterior vector_quantized, or a density of vectors."
        )
    _, rows, columns = context.latent_shape
    return context.codes, (rows, columns)


def require_rate(context: Context, part: str) -> None:
    """Refuse a posterior without a rate that training could lower.

    Raises:
        UserError: it has no density, or its rate is constant.
    """
    if context.posterior == "point":
        raise UserError(
            f"{part} weighs the rate, and posterior deterministic has none; take regularizer none, or mmd with alpha 1."
        )
    if context.posterior == "codes":
        raise UserError(
            f"{part} weighs the rate, which under posterior vector_quantized is a constant; take regularizer commitment."
        )


def require_dimensions(context: Context, part: str) -> None:
    """Refuse a latent of one dimension, which has no total correlation.

    Raises:
        UserError: the latent has one dimension.
    """
    if context.latent_shape[0] == 1:
        raise UserError(
            f"{part} weighs how z's dimensions depend on each other, but latent is 1; raise latent, or take regularizer kl."
        )
