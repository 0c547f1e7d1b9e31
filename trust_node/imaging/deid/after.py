"""What comes after the profile, on its output: the trust's white list, its script, the project's script."""

from pydicom import Dataset

from trust_node.imaging.deid.changes import Change
from trust_node.imaging.deid.pixels import Held, HoldReason
from trust_node.imaging.deid.plan import DeidPlan
from trust_node.imaging.deid.script import RejectedError, ScriptRunError, Surroundings, run


def after_profile(dataset: Dataset, plan: DeidPlan, study: str, subject: str) -> list[Change]:
    """Change `dataset` in place and tell what was done.

    Raises
    ------
    Held
        If a script refuses the object, or can't be carried out on it.
    """
    changes = plan.whitelist.apply(dataset) if plan.whitelist else []
    if not plan.scripts:
        return changes
    variables = {
        "project": plan.project,
        "subject": subject,
        "session": study,
        "modalityLabel": str(dataset.get("Modality", "")),
    }
    try:
        return [*changes, *run(plan.scripts, dataset, Surroundings(variables, plan.keys, plan.lookup))]
    except RejectedError as rejected:
        raise Held(HoldReason.SCRIPT_REJECTED) from rejected
    except ScriptRunError as failed:
        raise Held(HoldReason.SCRIPT_FAILED) from failed


def asks_for_pixels(plan: DeidPlan) -> bool:
    """Tell whether a script needs the pixels: then they must be read."""
    return any(script.alters_pixels for script in plan.scripts)


def is_idle(plan: DeidPlan) -> bool:
    """Tell whether nothing comes after the profile."""
    return plan.whitelist is None and not plan.scripts
