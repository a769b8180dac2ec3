"""The learner's settings as a section of the project's settings (page, API and command alike)."""

from collections.abc import Mapping
from typing import Any

from active_learning.models import LearnerSettings
from active_learning.strategies.names import STRATEGY_TITLES
from labeling.models import Project
from labeling.settings_sections import Setting, SettingsSection

SETTINGS = (
    Setting("batch_size", "Pages in a batch", "How many pages one batch asks for.", int, 1, 10_000),
    Setting(
        "random_share", "Share drawn at random", "0 to 1: it keeps the learner honest.", float, 0, 1
    ),
    Setting(
        "query_strategy", "How pages are chosen", "What makes a page worth asking about.", str,
        choices=tuple(STRATEGY_TITLES.items()),
    ),
    Setting(
        "retrain_every", "Train again after", "That many new answers. 0: not by their number.", int, 0, 1_000_000
    ),
    Setting("retrain_hours", "Train again every", "That many hours. 0: not by the clock.", int, 0, 24 * 365),
)  # fmt: skip


def read(project: Project) -> dict[str, Any]:
    learner = LearnerSettings.objects.filter(project=project).first() or LearnerSettings(project=project)
    return {setting.name: getattr(learner, setting.name) for setting in SETTINGS}


def write(project: Project, values: Mapping[str, Any]) -> None:
    """Raises Unacceptable naming the first value that cannot be."""
    LearnerSettings.objects.update_or_create(project=project, defaults=SECTION.checked(values))


SECTION = SettingsSection("Learning", SETTINGS, read, write)
