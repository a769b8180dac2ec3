from django.contrib import admin
from django.urls import include, path, register_converter

from labeling.paths import PublicId
from labeling.views import health

register_converter(PublicId, "public_id")  # before the addresses that name it are read
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
