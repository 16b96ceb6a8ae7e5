"""A check of all trials of a variant before the first of them is trained."""

from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.models.shape_checks import check_shapes
from vaeline.study.design import point
from vaeline.study.recipe import recipe_of_trial
from vaeline.study.schema import Study, Variant
from vaeline.system.errors import UserError, shown


def check_trials(study: Study, variant: str, facts: Facts) -> None:
    """Build the model of every trial; trials that differ in their training alone share one.

    Raises:
        UserError: a model cannot be built with the values of a trial, or it will not have the metric.
    """
    seen: list[Variant] = []
    for number in study.tuning.trials:
        tried = point(study.tuning.space, study.tuning.seed, number)
        entry = recipe_of_trial(study, variant, tried).variant.model_copy(update={"training": {}})
        if entry in seen:
            continue
        seen.append(entry)
        try:
            model = Model(entry, facts)
            check_shapes(model, facts)
        except UserError as error:
            raise UserError(
                f"Trial {number} of {variant} cannot have {', '.join(f'{key}: {shown(value)}' for key, value in tried.items())}: {error} Or "
                "narrow tuning.space."
            ) from error
        _check_metric(study, model)


def _check_metric(study: Study, model: Model) -> None:
    metric = study.tuning.metric
    if metric == "validation_negative_elbo" and model.posterior.kind == "point":
        raise UserError(
            f"tuning.metric is {metric}, but posterior {model.variant.posterior.name} has no evidence lower bound; take "
            "validation_objective or validation_distortion."
        )
