"""The learning pages of a project."""

from django.urls import URLPattern, path

from active_learning import views

app_name = "active_learning"
urlpatterns: list[URLPattern] = [
    path("p/<slug:slug>/learning/", views.learning, name="learning"),
    path("p/<slug:slug>/learning/train/", views.train, name="train"),
    path("p/<slug:slug>/learning/choose/", views.choose, name="choose"),
    path("p/<slug:slug>/learning/jobs/<uuid:job_id>/", views.job, name="job"),
    path("p/<slug:slug>/learning/batches/<int:number>/", views.batch, name="batch"),
]
