"""A check of every variant of a study."""

from vaeline.data.facts import Facts
from vaeline.models.division_checks import check_division
from vaeline.models.model import Model
from vaeline.models.shape_checks import check_shapes
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


def check_variants(study: Study, facts: Facts) -> None:
    """Build every variant of a study, so that one that cannot be built stops the study before anything is trained.

    Raises:
        UserError: the parts of a variant do not work together, or a part returns tensors of another shape than its contract says.
    """
    for name in study.study.variants:
        try:
            model = Model(study.variants[name], facts)
            check_shapes(model, facts)
            if study.training.processes > 1:
                check_division(model, study.training.processes)
        except UserError as error:
            raise UserError(f"variants.{name}: {error}") from error
