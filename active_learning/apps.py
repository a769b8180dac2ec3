from django.apps import AppConfig


class ActiveLearningConfig(AppConfig):
    name = "active_learning"
    verbose_name = "Active learning"

    def ready(self) -> None:
        from active_learning import invariants  # noqa: F401  (the checks register themselves)
        from active_learning.settings_section import SECTION
        from labeling.projects import settings_sections

        if SECTION not in settings_sections:
            settings_sections.append(SECTION)
