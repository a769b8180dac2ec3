from django.contrib import admin
from django.urls import include, path

from labeling import paths  # noqa: F401  (registers what addresses below are made of)
from labeling.views import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("admin/", admin.site.urls),
    path("accounts/", include("labeling.urls_accounts")),
    path("api/v1/", include("labeling.api.urls")),
    path("api/v1/", include("active_learning.api.urls")),
    path("", include("active_learning.urls")),
    path("", include("labeling.urls")),
]
handler400 = "labeling.views.errors.bad_request"
handler404 = "labeling.views.errors.not_found"
handler500 = "labeling.views.errors.server_error"
