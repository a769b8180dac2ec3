"""How the learning of a project stands, in words and rows: what the page shows and the curve the API answers with."""

from dataclasses import dataclass
from typing import Any

from active_learning import arm, training
from active_learning.learner.estimator import DEFAULT_SETTINGS
from active_learning.measuring import ACTIVE, MIN_RANDOM, RANDOM, too_few
from active_learning.models import TrainingRun
from labeling import phrases, schemas
from labeling.models import Consensus, Job, Project, SchemaVersion
from labeling.quality.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Standing:
    """The finding as a heading, what stands behind it, and whether another run or another batch is the next step."""

    heading: str
    text: str
    next: str  # "train", "choose" or "wait"


def standing(project: Project, run: TrainingRun | None) -> Standing:
    if run is None:
        return _before_the_first(project)
    macro = estimate_of(run.metrics["macro_ap"])
    learnt = f"Run {run.number} learnt from {phrases.counted(run.n_items, 'page')}"
    text = f"{learnt}. {_since(project, run)}"
    if macro.value is None:
        heading = "Cannot tell yet how well the model ranks pages"
        return Standing(heading, f"{text} {_no_curve(project, run)}", _next(project, run))
    measured = f"Mean average precision on {phrases.counted(macro.n, 'page')} drawn at random, each unseen when scored."
    heading = f"The model ranks pages with a precision of {phrases.estimate(macro)}"
    return Standing(heading, f"{measured} {_other_arm(run)}{text}", _next(project, run))


def _before_the_first(project: Project) -> Standing:
    answered = Consensus.objects.filter(project=project, n_judgments__gt=0).count()
    needed = f"{DEFAULT_SETTINGS.min_positives} yes and {DEFAULT_SETTINGS.min_negatives} no on one label"
    are = "is" if answered == 1 else "are"
    text = f"It needs at least {needed}; {phrases.counted(answered, 'page')} {are} answered. {_no_curve(project, None)}"
    return Standing("No model has been trained yet", text, "train" if answered else "choose")


def _no_curve(project: Project, run: TrainingRun | None) -> str:
    """Why there is no curve as things are now: too few random pages, no run with enough of them, or too rare labels."""
    n_random = arm.n_answered(project)
    if n_random < MIN_RANDOM:
        return too_few(n_random)
    if run is None:
        return "The first curve appears with the first finished run."
    if run.metrics["n_random"] < MIN_RANDOM:
        measured_on = phrases.counted(run.metrics["n_random"], "random page")
        return (
            f"It could be measured on {measured_on}, and {MIN_RANDOM} are needed; the next run takes in later answers."
        )
    return "The first curve appears when a label has enough random pages with it, after the next run."


def _other_arm(run: TrainingRun) -> str:
    """What the random pages alone would have taught; empty while there is only one arm."""
    alone = next((point for point in run.metrics["curve"][1:] if point["arm"] == RANDOM), None)
    if alone is None or alone["macro_ap"]["value"] is None:
        return ""
    reached = phrases.estimate(estimate_of(alone["macro_ap"]))
    return f"Learnt from its {alone['n_labels']:,} random pages alone it reaches {reached}. "


def _since(project: Project, run: TrainingRun) -> str:
    n_new = training.new_votes(project, run)
    if n_new <= 0:
        return "No answer came in since."
    return f"{phrases.counted(n_new, 'answer')} came in since."


def _next(project: Project, run: TrainingRun) -> str:
    """A fresh model is for choosing with; answers after that are for learning from."""
    newest = project.batches.order_by("-number").first()
    if newest is None or newest.created_at < run.created_at:
        return "choose"
    return "train" if training.new_votes(project, run) > 0 else "wait"


def estimate_of(stored: dict[str, Any]) -> Estimate:
    return Estimate(**stored)


# ---- rows -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label under the run that serves. `low`, `value`, `high` are percents of the plot, empty without interval."""

    name: str
    n_yes: int
    n_no: int
    words: str
    n: int
    low: str
    value: str
    high: str
    advice: tuple[str, ...]


def label_rows(project: Project, run: TrainingRun | None) -> list[LabelRow]:
    """Labels of the run that are still asked, the worst known first, those that cannot be told last."""
    if run is None:
        return []
    try:
        schema = schemas.in_force(project)
    except SchemaVersion.DoesNotExist:
        return []
    known = run.metrics["labels"]
    rows = [(_row(label.name, known[label.key]), known[label.key]) for label in schema.asked if label.key in known]
    return [row for row, stored in sorted(rows, key=lambda pair: _lower_end(pair[1]))]


def _lower_end(stored: dict[str, Any]) -> float:
    low = stored["average_precision"]["low"]
    return 2.0 if low is None else float(low)


def _row(name: str, stored: dict[str, Any]) -> LabelRow:
    found = estimate_of(stored["average_precision"])
    low, value, high = ("", "", "") if found.value is None else (f"{100 * end:.1f}" for end in _ends(found))
    words = "cannot tell yet" if found.value is None else phrases.estimate(found)
    reasons = (found.reason,) if found.reason else ()
    return LabelRow(name, stored["n_yes"], stored["n_no"], words, found.n, low, value, high,
                    (*stored["notes"], *reasons))  # fmt: skip


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.low or 0.0, found.value or 0.0, found.high or 0.0


def curve(project: Project) -> tuple[list[dict[str, Any]], str | None]:
    """Points of all finished runs, oldest first, and why there is none yet where no point has a value."""
    finished = project.training_runs.filter(scored_at__isnull=False).order_by("number")
    points = [{"run": run.number, **point} for run in finished for point in run.metrics["curve"]]
    if any(point["macro_ap"]["value"] is not None for point in points):
        return points, None
    return points, _no_curve(project, training.current(project))


# ---- the curve as a picture -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Dot:
    arm: str
    run: int
    n_labels: int
    words: str
    x: str
    low: str
    value: str
    high: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Dots with their intervals in percents of the plot, up to `most` pages wide, from 0 to 1 high."""

    dots: tuple[Dot, ...]
    most: int

    @property
    def sentence(self) -> str:
        return "; ".join(f"{dot.arm}, {dot.n_labels:,} pages: {dot.words}" for dot in self.dots)


def picture(points: list[dict[str, Any]]) -> Curve | None:
    """The points that have an interval; None while there is none."""
    drawn = [(point, estimate_of(point["macro_ap"])) for point in points]
    drawn = [(point, found) for point, found in drawn if found.low is not None]
    if not drawn:
        return None
    most = max(point["n_labels"] for point, _ in drawn)
    return Curve(tuple(_dot(point, found, most) for point, found in drawn), most)


def _dot(point: dict[str, Any], found: Estimate, most: int) -> Dot:
    heights = (f"{100 * (1 - end):.1f}" for end in _ends(found))
    arm = "all answered pages" if point["arm"] == ACTIVE else "random pages alone"
    x = f"{4 + 92 * point['n_labels'] / most:.1f}"
    return Dot(arm, point["run"], point["n_labels"], phrases.estimate(found), x, *heights)


def state_of(run: TrainingRun) -> str:
    """The state of its job; of a run whose job row is past its retention, what became of it."""
    if run.job is not None:
        return run.job.state
    return Job.State.DONE if run.scored_at else Job.State.FAILED
