from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """Django's admin with our site: for operators alone."""

    default_site = "config.admin.OperatorsSite"
