"""Checks of a part against its context, shared by several parts."""

from vaeline.models.contracts import Context
from vaeline.system.errors import UserError


def vector_size(context: Context, part: str) -> int:
    """The dimensions of z, for a density of vectors; `part` names it in the error.

    Raises:
        UserError: the latents are discrete.
    """
    if context.posterior == "discrete":
        raise UserError(
            f"{part} is a density of vectors, but the latents of a posterior of kind discrete are indices; take prior uniform, and "
            "density pixelcnn or null."
        )
    return context.latent_shape[0]


def require_condition(context: Context, part: str) -> int:
    """The size of the condition, for a density that depends on labels.

    Raises:
        UserError: the model has no condition.
    """
    if not context.prior_condition:
        raise UserError(f"{part} depends on labels, but the entry has no `condition`; add one, or take prior standard.")
    return context.prior_condition


def codebook_and_map_size(context: Context, part: str) -> tuple[int, tuple[int, int]]:
    """The size of the codebook, and rows and columns of the map of indices, for a density of indices.

    Raises:
        UserError: the latents are vectors.
    """
    if context.posterior != "discrete":
        raise UserError(
            f"{part} is a density of indices, but the latents of a posterior of kind {context.posterior} are vectors; take posterior "
            "vector_quantized, or a density of vectors."
        )
    _, rows, columns = context.latent_shape
    return context.codebook_size, (rows, context.stages * columns)


def require_rate(context: Context, part: str) -> None:
    """Refuse a posterior without a rate that training can lower.

    Raises:
        UserError: the posterior has no density, or its rate is constant.
    """
    if context.posterior == "point":
        raise UserError(
            f"{part} weighs the rate, but posterior deterministic has none; take regularizer none, or mmd with alpha 1."
        )
    if context.posterior == "discrete":
        instead = "none" if context.codebook_learns == "never" else "commitment"
        raise UserError(
            f"{part} weighs the rate, which is constant under a posterior of kind discrete; take regularizer {instead}."
        )


def require_gaussian(context: Context, part: str) -> None:
    """Refuse a posterior without a mean and a variance of z.

    Raises:
        UserError: the posterior is of another kind than gaussian.
    """
    if context.posterior != "gaussian":
        raise UserError(
            f"{part} needs the mean and the variance of q(z|x), which only posteriors gaussian and gaussian_map have; take one of them, or "
            "regularizer factor."
        )


def require_dimensions(context: Context, part: str) -> None:
    """Refuse a latent of one dimension, whose total correlation is 0.

    Raises:
        UserError: the latent has one dimension.
    """
    if context.latent_shape[0] == 1:
        raise UserError(
            f"{part} weighs the dependence between the dimensions of z, but latent is 1; raise latent, or take regularizer kl."
        )


def require_images(context: Context, part: str, instead: str) -> None:
    """Refuse points; `part` names what needs images, and `instead` says what to do.

    Raises:
        UserError: the data are points.
    """
    if context.pixels == "points":
        raise UserError(f"{part} needs images, but the data are points; {instead}.")


def require_halvings(context: Context, depth: int, key: str, unhalved: int = 0) -> None:
    """Refuse images that are too small for so many layers that halve them.

    Args:
        context: of the part.
        depth: number of layers.
        key: that sets it, as the error names it.
        unhalved: layers that leave height and width as they are.

    Raises:
        UserError: names the largest depth.
    """
    height, width = context.image_shape[1:]
    halvings = min(height, width).bit_length() - 1
    if depth - unhalved > halvings:
        raise UserError(
            f"{key} is {depth}, but images of {height}x{width} halve only {halvings} times; lower it to {halvings + unhalved}."
        )


def require_odd_kernel(kernel: int, key: str, seen: str) -> None:
    """Refuse a kernel without a middle; `key` sets it, and `seen` names what its places hold.

    Raises:
        UserError: the kernel is even.
    """
    if kernel % 2 == 0:
        raise UserError(
            f"{key} is {kernel}, but must be odd, so that each {seen} lies in the middle of its kernel; add or subtract 1."
        )
