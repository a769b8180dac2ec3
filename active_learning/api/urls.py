"""Training runs, batches, learning curve."""

from django.urls import URLPattern, path

from active_learning.api import batches, runs

app_name = "learning_api"
urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/training-runs/", runs.RunsView.as_view(), name="training_runs"),
    path("projects/<slug:slug>/training-runs/<int:number>/", runs.RunView.as_view(), name="training_run"),
    path("projects/<slug:slug>/batches/", batches.BatchesView.as_view(), name="batches"),
    path("projects/<slug:slug>/batches/<int:number>/", batches.BatchView.as_view(), name="batch"),
    path("projects/<slug:slug>/learning-curve/", runs.CurveView.as_view(), name="learning_curve"),
]
