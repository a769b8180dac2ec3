"""The form that chooses a batch."""

from django import forms

from active_learning import batches, settings_section
from active_learning.strategies.names import STRATEGY_TITLES
from labeling.models import Project


class BatchForm(forms.Form):
    size = forms.IntegerField(min_value=1, max_value=batches.LARGEST, label="Pages")
    strategy = forms.ChoiceField(choices=list(STRATEGY_TITLES.items()), label="How they are chosen")
    random_share = forms.FloatField(
        min_value=0, max_value=1, label="Share drawn at random", widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text="0 to 1. Only pages drawn at random show how well the model does.",
    )  # fmt: skip

    @classmethod
    def filled(cls, project: Project) -> "BatchForm":
        """The form as the project's settings fill it."""
        learner = settings_section.read(project)
        return cls(initial={**learner, "size": learner["batch_size"], "strategy": learner["query_strategy"]})
