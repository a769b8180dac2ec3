"""The contract's addresses. One block a resource."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from labeling.api import (
    adjudication,
    agreement,
    anchoring,
    annotators,
    consensus,
    doubts,
    exposure,
    fits,
    flags,
    guideline,
    imports,
    items,
    jobs,
    judgments,
    members,
    mine,
    new_labels,
    projects,
    quality,
    queue,
    queue_changes,
    rejudgings,
    releases,
    rulings,
    samples,
    schema_versions,
    tokens,
)
from labeling.api.base import ActionView


class SchemaView(ActionView, SpectacularAPIView):
    """The OpenAPI 3.1 description of this API."""

    actions = {"GET": "api.schema"}
    permission_classes = ActionView.permission_classes  # the framework's own lets everybody in


app_name = "api"
urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    # projects, schema versions, members, tokens
    path("projects/", projects.ProjectsView.as_view(), name="projects"),
    path("projects/<slug:slug>/", projects.ProjectView.as_view(), name="project"),
    path("projects/<slug:slug>/schema-versions/", schema_versions.SchemaVersionsView.as_view(), name="schema_versions"),
    path(
        "projects/<slug:slug>/schema-versions/<int:number>/",
        schema_versions.SchemaVersionView.as_view(),
        name="schema_version",
    ),
    path("projects/<slug:slug>/new-label-rounds/", new_labels.NewLabelRoundsView.as_view(), name="new_label_rounds"),
    path("projects/<slug:slug>/members/", members.MembersView.as_view(), name="members"),
    path("tokens/", tokens.TokensView.as_view(), name="tokens"),
    path("tokens/<int:token_id>/", tokens.TokenView.as_view(), name="token"),
    # jobs, imports, items
    path("jobs/<uuid:job_id>/", jobs.JobView.as_view(), name="job"),
    path("jobs/<uuid:job_id>/cancel/", jobs.CancelView.as_view(), name="job_cancel"),
    path("projects/<slug:slug>/imports/", imports.ItemImportView.as_view(), name="imports"),
    path("projects/<slug:slug>/imports/<uuid:job_id>/", imports.ImportView.as_view(), name="import"),
    path("projects/<slug:slug>/imports/<uuid:job_id>/refused/", imports.RefusedView.as_view(), name="import_refused"),
    path("projects/<slug:slug>/judgments/import/", imports.JudgmentImportView.as_view(), name="judgment_import"),
    path("projects/<slug:slug>/items/", items.ItemsView.as_view(), name="items"),
    path("projects/<slug:slug>/items/<public_id:public_id>/", items.ItemView.as_view(), name="item"),
    # queue, judgments
    path("projects/<slug:slug>/next/", queue.NextView.as_view(), name="next"),
    path("projects/<slug:slug>/queue/", queue_changes.QueueView.as_view(), name="queue"),
    path(
        "projects/<slug:slug>/queue/leases/<int:assignment_id>/clear/",
        queue_changes.ClearView.as_view(),
        name="clear_lease",
    ),
    path("projects/<slug:slug>/queue/give/", queue_changes.GiveView.as_view(), name="queue_give"),
    path("projects/<slug:slug>/queue/take-back/", queue_changes.TakeBackView.as_view(), name="queue_take_back"),
    path("projects/<slug:slug>/queue/priority/", queue_changes.PriorityView.as_view(), name="queue_priority"),
    path("projects/<slug:slug>/queue/reserve/", queue_changes.ReserveView.as_view(), name="queue_reserve"),
    path("projects/<slug:slug>/queue/unreserve/", queue_changes.UnreserveView.as_view(), name="queue_unreserve"),
    path("projects/<slug:slug>/queue/put-back/", queue_changes.PutBackView.as_view(), name="queue_put_back"),
    path("assignments/<int:assignment_id>/judgment/", queue.JudgmentView.as_view(), name="judgment"),
    path("assignments/<int:assignment_id>/draft/", queue.DraftView.as_view(), name="draft"),
    path("assignments/<int:assignment_id>/skip/", queue.SkipView.as_view(), name="skip"),
    path("assignments/<int:assignment_id>/renew/", queue.RenewView.as_view(), name="renew"),
    path("assignments/<int:assignment_id>/release/", queue.ReleaseView.as_view(), name="release"),
    path("projects/<slug:slug>/judgments/", judgments.JudgmentsView.as_view(), name="judgments"),
    path("projects/<slug:slug>/judgments/mine/", mine.OwnJudgmentsView.as_view(), name="own_judgments"),
    path("projects/<slug:slug>/my-work/", mine.MyWorkView.as_view(), name="my_work"),
    path("projects/<slug:slug>/returned/", mine.ReturnedView.as_view(), name="returned"),
    path("projects/<slug:slug>/opt-outs/", mine.OptOutsView.as_view(), name="opt_outs"),
    path("projects/<slug:slug>/drafts/", mine.DraftsView.as_view(), name="drafts"),
    path("projects/<slug:slug>/drafts/<int:draft_id>/", mine.DraftView.as_view(), name="own_draft"),
    path("projects/<slug:slug>/drafts/<int:draft_id>/go-on/", mine.GoOnView.as_view(), name="draft_go_on"),
    path("judgments/<int:judgment_id>/revise/", queue.ReviseView.as_view(), name="revise"),
    # flags
    path("projects/<slug:slug>/flags/", flags.FlagsView.as_view(), name="flags"),
    path("flags/<int:flag_id>/", flags.FlagView.as_view(), name="flag"),
    path("flags/<int:flag_id>/comments/", flags.CommentsView.as_view(), name="flag_comments"),
    path("flags/<int:flag_id>/resolve/", flags.ResolveView.as_view(), name="flag_resolve"),
    # agreement, consensus, adjudication
    path("projects/<slug:slug>/agreement/", agreement.AgreementView.as_view(), name="agreement"),
    path("projects/<slug:slug>/agreement/pairs/", agreement.PairsView.as_view(), name="pairs"),
    path("projects/<slug:slug>/agreement/labels/", guideline.GuidelineView.as_view(), name="guideline"),
    path("projects/<slug:slug>/rejudgings/", rejudgings.RejudgingsView.as_view(), name="rejudgings"),
    path("projects/<slug:slug>/rejudgings/<int:number>/", rejudgings.RejudgingView.as_view(), name="rejudging"),
    path("projects/<slug:slug>/consensus/fit/", fits.FitView.as_view(), name="fit"),
    path("projects/<slug:slug>/doubts/", doubts.DoubtsView.as_view(), name="doubts"),
    path("projects/<slug:slug>/doubts/ask/", doubts.AskView.as_view(), name="doubts_ask"),
    path("projects/<slug:slug>/annotators/", annotators.AnnotatorsView.as_view(), name="annotators"),
    path("projects/<slug:slug>/consensus/", consensus.ConsensusView.as_view(), name="consensus"),
    path("projects/<slug:slug>/adjudications/queue/", adjudication.CaseQueueView.as_view(), name="case_queue"),
    path(
        "projects/<slug:slug>/items/<public_id:public_id>/adjudication/",
        adjudication.AdjudicationView.as_view(),
        name="adjudication",
    ),
    path(
        "projects/<slug:slug>/items/<public_id:public_id>/adjudication/reopen/",
        adjudication.ReopenView.as_view(),
        name="reopen",
    ),
    path(
        "projects/<slug:slug>/items/<public_id:public_id>/adjudication/send-back/",
        rulings.SendBackView.as_view(),
        name="send_back",
    ),
    path(
        "projects/<slug:slug>/items/<public_id:public_id>/adjudication/ask-one-more/",
        rulings.AskOneMoreView.as_view(),
        name="ask_one_more",
    ),
    path("projects/<slug:slug>/adjudications/acceptances/", rulings.AcceptancesView.as_view(), name="acceptances"),
    # known answers, people, pauses
    path("projects/<slug:slug>/honeypots/", quality.HoneypotsView.as_view(), name="honeypots"),
    path("projects/<slug:slug>/honeypots/<int:honeypot_id>/", quality.HoneypotView.as_view(), name="honeypot"),
    path("projects/<slug:slug>/quality/", quality.PeopleView.as_view(), name="quality"),
    path("projects/<slug:slug>/anchoring/", anchoring.AnchoringView.as_view(), name="anchoring"),
    path("projects/<slug:slug>/quality/mine/", quality.OwnView.as_view(), name="quality_mine"),
    path("projects/<slug:slug>/pauses/", quality.PausesView.as_view(), name="pauses"),
    path("projects/<slug:slug>/exposure/", exposure.ExposureView.as_view(), name="exposure"),
    path("projects/<slug:slug>/exposure/mine/", exposure.OwnExposureView.as_view(), name="exposure_mine"),
    # samples, releases
    path("projects/<slug:slug>/samples/", samples.SamplesView.as_view(), name="samples"),
    path("projects/<slug:slug>/samples/ask-again/", samples.AskAgainView.as_view(), name="samples_ask_again"),
    path("projects/<slug:slug>/samples/<int:number>/", samples.SampleView.as_view(), name="sample"),
    path(
        "projects/<slug:slug>/samples/<int:number>/probabilities/",
        samples.ProbabilitiesView.as_view(),
        name="sample_probabilities",
    ),
    path("projects/<slug:slug>/releases/", releases.ReleasesView.as_view(), name="releases"),
    path("projects/<slug:slug>/releases/<str:version>/", releases.ReleaseView.as_view(), name="release_version"),
    path("projects/<slug:slug>/releases/<str:version>/csv/", releases.ReleaseCsvView.as_view(), name="release_csv"),
    path(
        "projects/<slug:slug>/releases/<str:version>/diff/<str:other>/",
        releases.ReleaseDiffView.as_view(),
        name="release_diff",
    ),
    path(
        "projects/<slug:slug>/releases/<str:version>/files/<path:name>",
        releases.ReleaseFileView.as_view(),
        name="release_file",
    ),
]
