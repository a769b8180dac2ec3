from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class LabelingConfig(AppConfig):
    name = "labeling"
    verbose_name = "Labeling"

    def ready(self) -> None:
        from labeling import (  # noqa: F401  (checks register)
            care_checks,
            conduct_checks,
            immutability,
            invariant_checks,
            sessions,
            suggestion_checks,
        )

        # SQLite rebuilds a table to alter it and drops its triggers silently: they are laid anew after every migrate.
        post_migrate.connect(immutability.install, sender=self, dispatch_uid="labeling.immutability.install")
        user_logged_in.connect(sessions.remember, dispatch_uid="labeling.sessions.remember")
