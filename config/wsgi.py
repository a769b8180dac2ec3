import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# The addresses and all they import: read before the processes part, not by the first page of each.
import_module(settings.ROOT_URLCONF)
