from django.apps import AppConfig


class ActiveLearningConfig(AppConfig):
    name = "active_learning"
    verbose_name = "Active learning"

    def ready(self) -> None:
        from active_learning import estimates, held_out, invariants  # noqa: F401  (the checks register themselves)
        from active_learning.settings_section import SECTION
        from labeling import doubts, expectations, suggestions
        from labeling.projects import settings_sections

        expectations.estimated_by(estimates.of)
        suggestions.said_by(estimates.opinion)
        doubts.told_by(held_out.of)

        if SECTION not in settings_sections:
            settings_sections.append(SECTION)
