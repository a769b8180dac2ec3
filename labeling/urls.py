"""Pages of the projects. One block a journey, in the order of the menu."""

from django.urls import path

from labeling.views import (
    adjudicate,
    agreement,
    annotate,
    care,
    change,
    flagging,
    flags,
    imports,
    items,
    jobs,
    labels,
    letters,
    members,
    mine,
    new_labels,
    overview,
    projects,
    quality,
    queue,
    releases,
    samples,
)

app_name = "labeling"
urlpatterns = [
    # overview
    path("p/<slug:slug>/", overview.overview, name="overview"),
    # annotate
    path("p/<slug:slug>/annotate/", annotate.annotate, name="annotate"),
    path("p/<slug:slug>/annotate/<int:assignment_id>/submit/", annotate.submit, name="submit"),
    path("p/<slug:slug>/annotate/<int:assignment_id>/skip/", annotate.skip, name="skip"),
    path("p/<slug:slug>/annotate/<int:assignment_id>/release/", annotate.release, name="release"),
    path("p/<slug:slug>/annotate/<int:assignment_id>/flag/", flagging.raise_flag, name="flag_raise"),
    path("p/<slug:slug>/mine/", mine.mine, name="mine"),
    path("p/<slug:slug>/mine/letters/", letters.letters, name="letters"),
    path("p/<slug:slug>/mine/opt-outs/", care.choose_opt_outs, name="opt_outs"),
    path("p/<slug:slug>/mine/figures/", mine.show_figures, name="show_figures"),
    path("p/<slug:slug>/mine/last/", change.change_last, name="change_last"),
    path("p/<slug:slug>/mine/<int:judgment_id>/", change.change, name="change"),
    path("p/<slug:slug>/mine/drafts/<int:draft_id>/go-on/", mine.go_on, name="draft_go_on"),
    path("p/<slug:slug>/mine/drafts/<int:draft_id>/throw-away/", mine.throw_away, name="draft_throw_away"),
    # flags
    path("p/<slug:slug>/flags/", flags.inbox, name="flags"),
    path("p/<slug:slug>/flags/<int:flag_id>/", flags.thread, name="flag"),
    path("p/<slug:slug>/flags/<int:flag_id>/comment/", flags.comment, name="flag_comment"),
    path("p/<slug:slug>/flags/<int:flag_id>/resolve/", flags.resolve, name="flag_resolve"),
    # adjudicate
    path("p/<slug:slug>/adjudicate/", adjudicate.adjudicate, name="adjudicate"),
    path("p/<slug:slug>/adjudicate/<public_id:public_id>/", adjudicate.case, name="case"),
    path("p/<slug:slug>/adjudicate/<public_id:public_id>/decide/", adjudicate.decide, name="decide"),
    path("p/<slug:slug>/adjudicate/<public_id:public_id>/later/", adjudicate.later, name="later"),
    # the queue
    path("p/<slug:slug>/queue/", queue.queue, name="queue"),
    path("p/<slug:slug>/queue/<int:assignment_id>/clear/", queue.clear, name="clear_lease"),
    path("p/<slug:slug>/queue/pages/<slug:verb>/", queue.change, name="queue_change"),
    # items and imports
    path("p/<slug:slug>/items/", items.item_list, name="items"),
    path("p/<slug:slug>/items/import/", imports.start, name="import"),
    path("p/<slug:slug>/items/all/<slug:verb>/", items.change_all, name="items_change"),
    path("p/<slug:slug>/items/<public_id:public_id>/", items.item, name="item"),
    path("p/<slug:slug>/items/<public_id:public_id>/<slug:verb>/", items.change, name="item_change"),
    path("p/<slug:slug>/imports/<uuid:job_id>/", imports.report, name="import_report"),
    path("p/<slug:slug>/imports/<uuid:job_id>/refused.<str:form>", imports.refused, name="import_refused"),
    # agreement
    path("p/<slug:slug>/agreement/", agreement.agreement, name="agreement"),
    path("p/<slug:slug>/agreement/labels.csv", agreement.labels_csv, name="agreement_labels_csv"),
    path("p/<slug:slug>/agreement/pairs.csv", agreement.pairs_csv, name="agreement_pairs_csv"),
    # known answers, people, pauses
    path("p/<slug:slug>/quality/", quality.quality, name="quality"),
    path("p/<slug:slug>/quality/pause/", quality.pause, name="pause"),
    path("p/<slug:slug>/quality/reinstate/<int:user_id>/", quality.reinstate, name="reinstate"),
    path("p/<slug:slug>/quality/pages/", quality.pool, name="known_pages"),
    path("p/<slug:slug>/quality/pages/add/", quality.add, name="known_page_add"),
    path("p/<slug:slug>/quality/pages/<int:honeypot_id>/", quality.change, name="known_page"),
    path("p/<slug:slug>/quality/pages/<int:honeypot_id>/retire/", quality.retire, name="known_page_retire"),
    # samples and releases
    path("p/<slug:slug>/samples/", samples.sample_list, name="samples"),
    path("p/<slug:slug>/samples/draw/", samples.draw, name="sample_draw"),
    path("p/<slug:slug>/samples/ask-again/", samples.ask_again, name="sample_ask_again"),
    path("p/<slug:slug>/samples/<int:number>/", samples.sample, name="sample"),
    path("p/<slug:slug>/releases/", releases.release_list, name="releases"),
    path("p/<slug:slug>/releases/freeze/", releases.freeze, name="release_freeze"),
    path("p/<slug:slug>/releases/verification.py", releases.verifier, name="release_verifier"),
    path("p/<slug:slug>/releases/<str:version>/", releases.release, name="release_version"),
    # projects, settings, labels, members
    path("", projects.project_list, name="projects"),
    path("new/", projects.project_new, name="project_new"),
    path("p/<slug:slug>/settings/", projects.settings, name="settings"),
    path("p/<slug:slug>/settings/archive/", projects.archive, name="archive"),
    path("p/<slug:slug>/settings/restore/", projects.restore, name="restore"),
    path("p/<slug:slug>/settings/delete/", projects.delete, name="delete"),
    path("p/<slug:slug>/settings/labels/", labels.labels, name="labels"),
    path("p/<slug:slug>/settings/labels/ask/", new_labels.ask, name="new_labels"),
    path("p/<slug:slug>/settings/members/", members.members, name="members"),
    path("p/<slug:slug>/settings/members/add/", members.add_member, name="add_member"),
    path("p/<slug:slug>/settings/members/<int:membership_id>/remove/", members.remove_member, name="remove_member"),
    path("p/<slug:slug>/settings/members/<int:membership_id>/quota/", members.set_quotas, name="member_quota"),
    path("p/<slug:slug>/settings/invitations/", members.invite, name="invite"),
    path("p/<slug:slug>/settings/invitations/<int:invite_id>/end/", members.end_invite, name="end_invite"),
    # jobs
    path("p/<slug:slug>/jobs/", jobs.job_list, name="jobs"),
    path("p/<slug:slug>/jobs/<uuid:job_id>/cancel/", jobs.cancel, name="job_cancel"),
    path("p/<slug:slug>/jobs/<uuid:job_id>/retry/", jobs.retry, name="job_retry"),
]
