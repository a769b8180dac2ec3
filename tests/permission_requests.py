"""The requests of the permission matrix: for each action, every way to try it over HTTP.

To add a URL, add a Call under its action. `w` is the World of one project (see make_world), `who` the role that asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from active_learning.models import Batch, TrainingRun
from labeling import adjudication, consensus, honeypots, invites, pauses, refits, tokens
from labeling.forms.projects import initial_of
from labeling.models import (
    Assignment,
    Draft,
    Flag,
    Import,
    Item,
    Job,
    Membership,
    Project,
    Rater,
    Rejudging,
    User,
)
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project
from tests.labeling.gold.work import annotators, answer_all, decide, draw, freeze
from tests.real_http import Answer

ROLES = ("viewer", "annotator", "adjudicator", "manager")
PASSWORD = "correct horse battery"

World = SimpleNamespace
Builder = Callable[[World, str], dict[str, Any]]


def nothing(w: World, who: str) -> dict[str, Any]:
    return {}


def in_project(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug}


@dataclass(frozen=True)
class Call:
    """One request. `url` is a URL name, or a path when it starts with "/"."""

    method: str
    url: str
    kwargs: Builder = nothing
    body: Builder | None = None
    foreign: Builder | None = None  # kwargs that name somebody else's object: a 404 where the cell is O
    content_type: str = "application/json"
    ok: frozenset[int] = frozenset({200, 201, 202, 204, 302, 303})
    reveals: Callable[[Answer, World, str], bool] | None = None  # whether it shows what the action is about
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    if_match: Callable[[World], str] | None = None
    refused: frozenset[int] = field(default_factory=frozenset)  # also a refusal here, beside the cell's own status

    @property
    def is_page(self) -> bool:
        """Pages are for browsers: they ask a stranger to log in, and take no token."""
        return not self.url.startswith(("api:", "learning_api:", "/api/", "/healthz", "/readyz", "/metrics"))


def page(method: str, url: str, kwargs: Builder = in_project, body: Builder | None = None, **more: Any) -> Call:
    return Call(method, url, kwargs, body, content_type="form", **more)


def api(method: str, url: str, kwargs: Builder = in_project, body: Builder | None = None, **more: Any) -> Call:
    return Call(method, f"api:{url}", kwargs, body, **more)


def learning(method: str, url: str, kwargs: Builder = in_project, body: Builder | None = None, **more: Any) -> Call:
    return Call(method, f"learning_api:{url}", kwargs, body, **more)


def numbered(what: str) -> Builder:
    return lambda w, who: {"slug": w.project.slug, "number": getattr(w, what).number}


def sends(**values: Any) -> Builder:
    return lambda w, who: values


def filled_in(project: Project) -> dict[str, Any]:
    """The form of the settings as a browser sends it untouched."""
    return {name: value for name, value in initial_of(project).items() if value is not None and value is not False}


# ---- the world of one project ---------------------------------------------------------------------------------------
def make_world(name: str) -> World:
    """A project with one person per role, and at least one of everything a request can name."""
    project = make_project(f"{name}-project", sensitive=True)
    people = {role: make_member(project, role, name=f"{name}-{role}") for role in ROLES}
    w = SimpleNamespace(project=project, people=people)
    _with_gold(w)
    w.disputed, w.decided = _disputed(project), _disputed(project)
    decide(w.decided, by=w.people["adjudicator"], games="yes")
    w.self_judged = _disputed(project, people["adjudicator"])
    w.other = make_member(project, "annotator", name=f"{name}-other")
    w.sendable = _disputed(project, w.other)
    _agreed(project)
    w.loose = make_member(project, "viewer", name=f"{name}-loose")  # a role that may be taken away
    w.item = _page(project, "read")
    w.honeypot = honeypots.add(_page(project, "known"), by=None, verdicts={"games": "yes"})
    w.paused = make_member(project, "annotator", name=f"{name}-paused")
    pauses.pause(project, w.paused, by=people["manager"])
    w.half_done = _half_done(project)
    soon = timezone.now() + timedelta(minutes=10)
    w.leases = {
        role: make_assignment(project, _page(project, role), leased_to=w.people[role], expires_at=soon)
        for role in ("annotator", "adjudicator")
    }
    w.foreign_lease = make_assignment(project, leased_to=w.other, expires_at=soon)
    w.open_slot = make_assignment(project)
    w.judgments = {role: _judged(project, w.people[role]) for role in ("annotator", "adjudicator")}
    w.foreign_judgment = _judged(project, w.other)
    w.flags = {role: _flagged(w.leases[role].item, w.people[role]) for role in ("annotator", "adjudicator")}
    w.foreign_flag = _flagged(w.half_done, w.other)
    w.drafts = {role: _begun(w.leases[role]) for role in ("annotator", "adjudicator")}
    w.foreign_draft = _begun(w.foreign_lease)
    w.job = Job.objects.create(project=project, kind="import", created_by=w.people["manager"])
    w.run = Import.objects.create(
        project=project, job=w.job, stored_name="x.csv", sha256="0" * 64, size_bytes=10, format="csv"
    )
    w.own_jobs = {role: Job.objects.create(project=project, kind="export", created_by=w.people[role]) for role in ROLES}
    w.training_job = Job.objects.create(project=project, kind="train", created_by=w.people["manager"])
    w.training = TrainingRun.objects.create(project=project, number=1, seed=1)
    w.batch = Batch.objects.create(project=project, number=1, size=1, strategy="random", random_share=1.0, seed=1)
    w.rejudging = Rejudging.objects.create(
        project=project, number=1, schema=project.schema, labels=["games"], seed="s", frame_size=1, size=1,
        frame_sha256="0" * 64,
    )  # fmt: skip
    w.invite, w.invite_secret = invites.create(project, role="viewer", note="", by=w.people["manager"])
    w.token, _ = tokens.issue(w.other, name="theirs", scopes=["read"])
    return w


def _with_gold(w: World) -> None:
    """A sample of one page, answered by two people, in a release."""
    make_item(w.project, f"https://{w.project.slug}.example.org/")
    w.draw = draw(w.project, size=1)
    answer_all(w.project, *annotators(w.project))
    w.release = freeze(w.project)
    refits.make(w.project)


def _disputed(project: Project, first: User | str = "first") -> Item:
    """A page two raters disagree on."""
    item = make_item(project)
    make_judgment(item, first, yes=["games"])
    make_judgment(item, "second")
    consensus.refresh(item, project=project)
    return item


def _agreed(project: Project) -> Item:
    """A page on which two raters say the same."""
    item = make_item(project)
    for rater in ("first", "second"):
        make_judgment(item, rater, yes=["games"])
    consensus.refresh(item, project=project)
    return item


def _page(project: Project, name: str) -> Item:
    """A page with something of each kind that not everybody sees."""
    return make_item(
        project, f"https://{name}.{project.slug}.example.net/?q=secret", title="A title", text="Some text",
        metadata={"note": "beside it"},
    )  # fmt: skip


def _half_done(project: Project) -> Item:
    """A page one person has answered and others may still be given."""
    item = make_item(project)
    make_judgment(item, "first", yes=["games"])
    make_assignment(project, item)
    consensus.refresh(item, project=project)
    return item


def _flagged(item: Item, person: User) -> Flag:
    return Flag.objects.create(project=item.project, item=item, kind="broken", raised_by=person)


def _begun(slot: Assignment) -> Draft:
    return Draft.objects.create(annotator=slot.annotator, item=slot.item, round=slot.round, answer={"yes": ["news"]})


def _judged(project: Project, rater: User):
    slot = make_assignment(project, annotator=rater, state="done", available_at=None)
    return make_judgment(slot.item, rater, yes=["news"], assignment=slot)


def lease(w: World, who: str) -> dict[str, Any]:
    return {"assignment_id": w.leases.get(who, w.foreign_lease).pk}


def foreign_lease(w: World, who: str) -> dict[str, Any]:
    return {"assignment_id": w.foreign_lease.pk}


def draft(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "draft_id": w.drafts.get(who, w.foreign_draft).pk}


def foreign_draft(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "draft_id": w.foreign_draft.pk}


def flagged_page(w: World, who: str) -> Item:
    return w.leases[who].item if who in w.leases else w.foreign_lease.item


def own_flag(w: World, who: str) -> dict[str, Any]:
    return {"flag_id": w.flags.get(who, w.foreign_flag).pk}


def foreign_flag(w: World, who: str) -> dict[str, Any]:
    return {"flag_id": w.foreign_flag.pk}


def judgment(w: World, who: str) -> dict[str, Any]:
    return {"judgment_id": w.judgments.get(who, w.foreign_judgment).pk}


def foreign_judgment(w: World, who: str) -> dict[str, Any]:
    return {"judgment_id": w.foreign_judgment.pk}


def both(*builders: Builder) -> Builder:
    def built(w: World, who: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for builder in builders:
            out |= builder(w, who)
        return out

    return built


def item(w: World, who: str) -> dict[str, Any]:
    """A page this person may read: for an annotator, one they hold."""
    readable = w.leases[who].item if who in w.leases else w.item
    return {"slug": w.project.slug, "public_id": readable.public_id}


def unread_item(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "public_id": w.item.public_id}


def a_job(w: World, who: str) -> dict[str, Any]:
    return {"job_id": w.own_jobs.get(who, w.job).pk}


def foreign_job(w: World, who: str) -> dict[str, Any]:
    return {"job_id": w.job.pk}


def the_import(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "job_id": w.job.pk}


def known_page(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "honeypot_id": w.honeypot.pk}


def removable(w: World, who: str) -> dict[str, Any]:
    row = Membership.objects.get(project=w.project, user=w.loose)
    return {"slug": w.project.slug, "membership_id": row.pk}


def own_rater(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "rater_id": w.judgments.get(who, w.foreign_judgment).rater_id}


def two_raters(w: World, who: str) -> dict[str, Any]:
    first, second = Rater.objects.filter(project=w.project).order_by("pk")[:2]
    return {"slug": w.project.slug, "first": first.pk, "second": second.pk}


def foreign_rater(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "rater_id": w.foreign_judgment.rater_id}


def answering_member(w: World, who: str) -> dict[str, Any]:
    row = Membership.objects.get(project=w.project, user=w.other, role="annotator")
    return {"slug": w.project.slug, "membership_id": row.pk}


def last_manager(w: World, who: str) -> dict[str, Any]:
    row = Membership.objects.get(project=w.project, role="manager")
    return {"slug": w.project.slug, "membership_id": row.pk}


def somebody(w: World, who: str) -> dict[str, Any]:
    return {"user_id": w.other.pk}


def disputed(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "public_id": w.disputed.public_id}


def sendable(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "public_id": w.sendable.public_id}


def answer_of(w: World) -> int:
    return w.sendable.judgments.get(rater__user=w.other).pk


def version(w: World) -> str:
    return adjudication.case_of(w.disputed).version


def release(w: World, who: str) -> dict[str, Any]:
    return {"slug": w.project.slug, "version": w.release.version}


def is_whole(answer: Answer, w: World, who: str) -> bool:
    return "q=secret" in answer.json().get("url_raw", "") or bool(answer.json().get("metadata"))


def has_text(answer: Answer, w: World, who: str) -> bool:
    return answer.status == 200 and bool(answer.json()["title"] or answer.json()["text"])


def names_half_done(answer: Answer, w: World, who: str) -> bool:
    return w.half_done.public_id in answer.body.decode()


def is_leased_page(answer: Answer, w: World, who: str) -> bool:
    """The page this person holds, as whoever holds one gets it back."""
    return who in w.leases and answer.json().get("item", {}).get("id") == w.leases[who].item.public_id


ANSWER = sends(yes=["news"], unsure=[], none=False)
TICKS = sends(**{"label.news": "yes", "label.games": "no", "label.self_harm": "no"})
LABELS = [{"key": "games"}, {"key": "news"}, {"key": "self_harm"}, {"key": "maps"}]
THROUGH_A_PROXY = {"X-Forwarded-For": "203.0.113.9"}  # for what this machine itself may see without being asked who
REFUSED_LATE = frozenset({403, 404, 405, 409})  # how the impossible may be refused


def admin_calls(model: str, pk: Callable[[World], Any]) -> list[Call]:
    """What the admin site would offer if it offered anything: change and delete of one row."""
    ids = lambda w, who: {"object_id": str(pk(w))}  # noqa: E731
    return [
        page("POST", f"admin:labeling_{model}_change", ids, sends(_save="Save")),
        page("POST", f"admin:labeling_{model}_delete", ids, sends(post="yes")),
    ]


REQUESTS: dict[str, list[Call]] = {
    # ---- the installation and accounts
    "health.live": [Call("GET", f"/{name}") for name in ("healthz", "readyz")],
    "health.metrics": [Call("GET", "/metrics", headers=THROUGH_A_PROXY)],
    "health.detail": [Call("GET", "/readyz", reveals=lambda answer, w, who: "details" in answer.json())],
    "account.login": [
        page("GET", "accounts:login", nothing),
        page("POST", "accounts:login", nothing, lambda w, who: {"username": w.other.username, "password": PASSWORD}),
    ],
    "account.logout": [page("POST", "accounts:logout", nothing)],
    "account.self_register": [
        Call(method, path, content_type="form", refused=frozenset({404}), body=sends(username="me", password1="x"))
        for method in ("GET", "POST")
        for path in ("/accounts/signup/", "/accounts/register/", "/api/v1/users/")
    ],
    "account.accept_invite": [
        page("GET", "accounts:invite", lambda w, who: {"secret": w.invite_secret}),
        page("POST", "accounts:invite", lambda w, who: {"secret": w.invite_secret}, sends(
            username="fresh", email="", password1="a quiet harbour 9", password2="a quiet harbour 9",
        )),
    ],
    "account.reset_password": [
        page("GET", "accounts:password_reset", nothing),
        page("POST", "accounts:password_reset", nothing, sends(email="nobody@example.org")),
        page("GET", "accounts:password_reset_sent", nothing),
        *(page(method, "accounts:password_reset_confirm", lambda w, who: {"uidb64": "MQ", "token": "x-y"})
          for method in ("GET", "POST")),
        page("GET", "accounts:password_reset_done", nothing),
    ],
    "account.change_own_password": [
        page("GET", "accounts:password_change", nothing),
        page("POST", "accounts:password_change", nothing, sends(
            old_password=PASSWORD, new_password1="a quiet harbour 9", new_password2="a quiet harbour 9",
        )),
    ],
    "account.sessions_own": [
        page("GET", "accounts:sessions", nothing),
        page("POST", "accounts:end_other_sessions", nothing),
        page("POST", "accounts:end_session", lambda w, who: {"session_id": w.sessions[who]},
             foreign=lambda w, who: {"session_id": w.foreign_session}),
    ],
    "account.preferences_own": [
        page("GET", "accounts:preferences", nothing),
        page("POST", "accounts:preferences", nothing, sends(single_keys="on")),
        page("POST", "accounts:comfort", nothing, sends(switch="grey", on="1")),
    ],
    "account.list_users": [page("GET", "accounts:people", nothing)],
    "account.deactivate": [
        page("POST", "accounts:deactivate", somebody),
        page("POST", "accounts:reactivate", somebody),
    ],
    "dashboard.cross_project": [
        page("GET", "labeling:installation", nothing),
        page("GET", "labeling:installation_csv", nothing),
    ],
    "account.set_role_global": [page("POST", "accounts:set_rights", somebody, sends(is_superuser="on"))],
    "account.invite": [
        page("POST", "labeling:invite", body=sends(role="annotator", note="")),
        page("POST", "labeling:end_invite", lambda w, who: {"slug": w.project.slug, "invite_id": w.invite.pk}),
    ],
    "token.create_own": [
        page("GET", "accounts:tokens", nothing),
        page("POST", "accounts:tokens", nothing, sends(name="mine", scopes=["read"], days="90")),
        page("POST", "accounts:end_token", lambda w, who: {"token_id": w.tokens[who].pk},
             foreign=lambda w, who: {"token_id": w.token.pk}),
        api("GET", "tokens", nothing),
        api("POST", "tokens", nothing, sends(name="mine", scopes=["read"])),
        Call("DELETE", "api:token", lambda w, who: {"token_id": w.tokens[who].pk},
             foreign=lambda w, who: {"token_id": w.token.pk}),
        Call("DELETE", "api:tokens", query="id=0", ok=frozenset({404})),
    ],
    "token.read_other": [api("GET", "token", lambda w, who: {"token_id": w.token.pk})],
    "token.revoke_other": [page("POST", "accounts:end_tokens", somebody)],
    "api.schema": [api("GET", "schema", nothing)],
    "admin_site.open": [page("GET", "admin:index", nothing), page("GET", "admin:labeling_user_changelist", nothing)],
    # ---- projects and labels
    "project.list": [page("GET", "labeling:projects", nothing), api("GET", "projects", nothing)],
    "project.create": [
        page("GET", "labeling:project_new", nothing),
        page("POST", "labeling:project_new", nothing, sends(name="Fresh")),
        api("POST", "projects", nothing, sends(slug="fresh", name="Fresh", labels=LABELS)),
    ],
    "project.read": [api("GET", "project")],
    "project.update_settings": [
        page("GET", "labeling:settings"),
        page("POST", "labeling:settings", body=lambda w, who: filled_in(w.project) | {"name": "Renamed"}),
        api("PATCH", "project", body=sends(overlap=3)),
        page("POST", "labeling:consensus_refit"),
        api("POST", "fit"),
    ],
    "project.archive": [page("POST", "labeling:archive"), page("POST", "labeling:restore")],
    "project.delete": [
        page("POST", "labeling:delete", ok=frozenset({409})),  # it holds pages: refused, but not for want of the right
        api("DELETE", "project", ok=frozenset({409})),
    ],
    "member.list": [page("GET", "labeling:members"), api("GET", "members")],
    "member.add_remove_role": [
        page("POST", "labeling:add_member", body=lambda w, who: {"username": w.loose.username, "role": "annotator"}),
        page("POST", "labeling:remove_member", removable),
        api("POST", "members", body=lambda w, who: {"username": w.loose.username, "role": "annotator"}),
        Call("DELETE", "api:members", in_project, body=lambda w, who: {"username": w.loose.username, "role": "viewer"}),
    ],
    "member.set_quota": [
        page("POST", "labeling:member_quota", answering_member, sends(quota_per_day=5)),
        api("PATCH", "members", body=lambda w, who: {
            "username": w.other.username, "role": "annotator", "quota_per_day": 5,
        }),
    ],
    "member.remove_last_manager": [
        page("POST", "labeling:remove_member", last_manager),
        Call("DELETE", "api:members", in_project,
             body=lambda w, who: {"username": w.people["manager"].username, "role": "manager"}),
    ],
    "schema.read": [
        api("GET", "schema_versions"),
        api("GET", "schema_version", both(in_project, sends(number=1))),
    ],
    "schema.create_version": [
        page("GET", "labeling:labels"),
        page("POST", "labeling:labels", body=lambda w, who: {
            "based_on": 1, "guideline": "Other words.", "exclusive_groups": "", "step": "publish",
            "label-TOTAL_FORMS": 1, "label-INITIAL_FORMS": 0, "label-0-key": "maps", "label-0-name": "Maps",
        }),
        api("POST", "schema_versions", body=sends(labels=LABELS)),
    ],
    "schema.ask_again": [
        api("GET", "new_label_rounds"),
        api("POST", "new_label_rounds", body=sends(labels=["games"]), ok=frozenset({202, 409})),
        page("GET", "labeling:new_labels", query="label=games"),
        page("POST", "labeling:new_labels", body=sends(label="games"), ok=frozenset({302, 409})),
    ],
    "schema.edit_used_version": [
        *(api(method, "schema_version", lambda w, who: in_project(w, who) | {"number": 1}, sends(guideline="Other"))
          for method in ("PUT", "PATCH", "DELETE")),
        *admin_calls("schemaversion", lambda w: w.project.schema.pk),
    ],
    "schema.delete_label": [api("DELETE", "schema_versions")],
    # ---- pages
    "item.import": [
        Call("POST", "api:imports", in_project, lambda w, who: "url\nhttps://new.example.org/\n",
             content_type="text/csv"),
        page("GET", "labeling:import"),
        page("POST", "labeling:import", body=sends(pasted="https://new.example.org/")),
    ],
    "import.read_report": [
        api("GET", "import", the_import),
        api("GET", "import_refused", the_import),
        page("GET", "labeling:import_report", the_import),
        page("GET", "labeling:import_refused", both(the_import, sends(form="csv"))),
    ],
    "import.cancel": [
        api("POST", "job_cancel", foreign_job),
        page("POST", "labeling:job_cancel", the_import),
        page("POST", "labeling:job_retry", the_import, ok=frozenset({302, 303, 409})),
    ],
    "judgment.import": [
        Call("POST", "api:judgment_import", in_project,
             lambda w, who: "url,annotator,yes\nhttps://new.example.org/,a,news\n", content_type="text/csv"),
    ],
    "item.list": [api("GET", "items"), page("GET", "labeling:items")],
    "item.read_any": [
        api("GET", "item", item, foreign=unread_item),
        page("GET", "labeling:item", item, foreign=unread_item),
    ],
    "item.read_whole": [api("GET", "item", item, reveals=is_whole)],
    "item.read_text": [api("GET", "item", item, reveals=has_text)],
    "item.read_leased": [api("POST", "next", reveals=is_leased_page)],
    "item.edit_content": [
        *(api(method, "item", item, sends(title="Other")) for method in ("PUT", "PATCH", "DELETE")),
        *admin_calls("item", lambda w: w.item.pk),
        *admin_calls("snapshot", lambda w: w.item.snapshot.pk),
    ],
    "item.withdraw": [
        page("POST", "labeling:item_change", both(unread_item, sends(verb="withdraw")), sends(reason="a test")),
        page("POST", "labeling:items_change", both(in_project, sends(verb="withdraw")), sends(reason="a test")),
    ],
    "job.status": [
        api("GET", "job", a_job, foreign=foreign_job),
        page("GET", "labeling:jobs"),
    ],
    # ---- work
    "queue.claim": [
        api("POST", "next"), page("GET", "labeling:annotate"),
        api("POST", "draft_go_on", draft), page("POST", "labeling:draft_go_on", draft),
        page("POST", "labeling:break_put_away"),
    ],
    "queue.release_own_lease": [
        api("POST", "renew", lease, foreign=foreign_lease),
        api("POST", "release", lease, foreign=foreign_lease),
        page("POST", "labeling:release", both(in_project, lease), foreign=both(in_project, foreign_lease)),
    ],
    "queue.read": [page("GET", "labeling:queue"), api("GET", "queue")],
    "queue.release_other_lease": [
        page("POST", "labeling:clear_lease", both(in_project, foreign_lease)),
        api("POST", "clear_lease", both(in_project, foreign_lease)),
    ],
    "queue.set_priority": [
        page("POST", "labeling:queue_change", both(in_project, sends(verb="give")),
             lambda w, who: {"item": w.item.public_id, "to": w.other.username}),
        api("POST", "queue_give", body=lambda w, who: {"items": [w.item.public_id], "to": w.other.username}),
        api("POST", "queue_priority", body=lambda w, who: {"items": [w.item.public_id], "priority": 5}),
        *(api("POST", f"queue_{verb}", body=lambda w, who: {"items": [w.item.public_id]})
          for verb in ("take_back", "reserve", "unreserve", "put_back")),
    ],
    "draft.save_own": [
        api("PUT", "draft", lease, ANSWER, foreign=foreign_lease),
        api("GET", "drafts"),
        api("DELETE", "own_draft", draft, foreign=foreign_draft),
        page("POST", "labeling:draft_throw_away", draft, foreign=foreign_draft),
    ],
    "desk.set_own": [
        page("GET", "labeling:letters"),
        page("POST", "labeling:letters", body=sends(games="x")),
        page("POST", "labeling:show_figures", body=sends(show="1")),
        page("POST", "labeling:opt_outs", body=sends(opted_out="games")),
        api("GET", "opt_outs"),
        api("PUT", "opt_outs", body=sends(opted_out=["games"])),
    ],
    "judgment.create": [
        api("POST", "judgment", lease, ANSWER, foreign=foreign_lease),
        page("POST", "labeling:submit", both(in_project, lease), TICKS, foreign=both(in_project, foreign_lease)),
    ],
    "assignment.skip_own": [
        api("POST", "skip", lease, sends(reason="rather_not"), foreign=foreign_lease),
        page("POST", "labeling:skip", both(in_project, lease), sends(reason="rather_not"),
             foreign=both(in_project, foreign_lease)),
    ],
    "flag.create": [
        api("POST", "flags", body=lambda w, who: {"item": flagged_page(w, who).public_id, "kind": "broken"}),
        page("POST", "labeling:flag_raise", both(in_project, lease), sends(kind="broken"),
             foreign=both(in_project, foreign_lease)),
    ],
    "flag.comment": [
        api("POST", "flag_comments", own_flag, sends(text="And more."), foreign=foreign_flag),
        page("POST", "labeling:flag_comment", both(in_project, own_flag), sends(text="And more."),
             foreign=both(in_project, foreign_flag)),
    ],
    "flag.read": [
        api("GET", "flags"),
        api("GET", "flag", own_flag, foreign=foreign_flag),
        page("GET", "labeling:flag", both(in_project, own_flag), foreign=both(in_project, foreign_flag)),
    ],
    "flag.resolve": [
        page("GET", "labeling:flags"),
        api("POST", "flag_resolve", own_flag, sends(text="Settled.")),
        page("POST", "labeling:flag_resolve", both(in_project, own_flag), sends(text="Settled.")),
    ],
    "judgment.read_own": [
        page("GET", "labeling:mine"), page("GET", "labeling:change_last"), api("GET", "own_judgments"),
        api("GET", "my_work"), api("GET", "returned"),
        api("GET", "quality_mine"),
    ],
    "judgment.revise_own": [
        api("POST", "revise", judgment, ANSWER, foreign=foreign_judgment),
        page("GET", "labeling:change", both(in_project, judgment), foreign=both(in_project, foreign_judgment)),
        page("POST", "labeling:change", both(in_project, judgment), TICKS, foreign=both(in_project, foreign_judgment)),
    ],
    "judgment.create_as_other": [
        api("POST", "judgment", foreign_lease, lambda w, who: ANSWER(w, who) | {"annotator": w.other.username}),
    ],
    "judgment.revise_other": admin_calls("judgment", lambda w: w.foreign_judgment.pk),
    "judgment.delete": admin_calls("judgment", lambda w: w.foreign_judgment.pk)[1:],
    "judgment.read_others_before_done": [
        api("GET", "judgments", reveals=names_half_done),
        api("GET", "consensus", reveals=names_half_done),
    ],
    "judgment.read_others_after_done": [api("GET", "judgments")],
    "judgment.read_identified": [api("GET", "judgments", query="identify=true")],
    "export.create": [
        api("GET", "judgments", headers={"Accept": accept}) for accept in ("text/csv", "application/x-ndjson")
    ],
    # ---- agreement and disagreement
    "dashboard.project": [page("GET", "labeling:overview")],
    "agreement.read_project": [
        page("GET", "labeling:guideline"),
        page("GET", "labeling:confusions_csv"),
        page("GET", "labeling:guideline_label", both(in_project, sends(key="games")), query="with=news"),
        api("GET", "guideline"),
        api("GET", "agreement"),
        page("GET", "labeling:agreement"),
        page("GET", "labeling:agreement_labels_csv"),
        page("GET", "labeling:agreement_weeks_csv"),
        page("GET", "labeling:consensus"),
        page("GET", "labeling:consensus_calibration_csv"),
        page("GET", "labeling:consensus_learned_csv"),
        api("GET", "fit"),
        page("GET", "labeling:overview_csv", lambda w, who: {"slug": w.project.slug, "figure": "days"}),
    ],
    "honeypot.manage": [
        page("GET", "labeling:known_pages"),
        page("POST", "labeling:known_page_add", body=lambda w, who: {"item": w.item.public_id, "verdict.games": "yes"}),
        page("GET", "labeling:known_page", known_page),
        page("POST", "labeling:known_page", known_page, sends(explanation="It sells a game.")),
        page("POST", "labeling:known_page_retire", known_page),
        api("GET", "honeypots"),
        api("POST", "honeypots", body=lambda w, who: {"item": w.item.public_id, "verdicts": {"games": "yes"}}),
        api("GET", "honeypot", known_page),
        api("PATCH", "honeypot", known_page, sends(onboarding=True)),
        api("DELETE", "honeypot", known_page),
    ],
    "annotator.pause_reinstate": [
        page("GET", "labeling:quality"),
        page("POST", "labeling:pause", body=lambda w, who: {"person": w.other.pk}),
        page("POST", "labeling:reinstate", lambda w, who: {"slug": w.project.slug, "user_id": w.paused.pk}),
        api("GET", "quality"),
        api("POST", "pauses", body=lambda w, who: {"username": w.other.username}),
        api("DELETE", "pauses", body=lambda w, who: {"username": w.paused.username}),
    ],
    "exposure.read_own": [api("GET", "exposure_mine")],
    "exposure.read_project": [page("GET", "labeling:exposure"), api("GET", "exposure")],
    "suggestion.read_anchoring": [api("GET", "anchoring")],
    "rejudge.read": [
        page("GET", "labeling:rejudgings"),
        page("GET", "labeling:rejudging", numbered("rejudging")),
        api("GET", "rejudgings"),
        api("GET", "rejudging", numbered("rejudging")),
    ],
    "rejudge.draw": [
        page("POST", "labeling:rejudging_draw", body=sends(labels=["games"], size=1), ok=frozenset({302, 422})),
        api("POST", "rejudgings", body=sends(labels=["games"], size=1), ok=frozenset({202, 409})),
    ],
    "doubt.read": [page("GET", "labeling:doubts"), api("GET", "doubts")],
    "doubt.act": [
        page("POST", "labeling:doubts_rank"),
        page("POST", "labeling:doubts_ask", body=sends(pages=1), ok=frozenset({302, 409})),
        api("POST", "doubts"),
        api("POST", "doubts_ask", body=sends(pages=1), ok=frozenset({200, 409})),
    ],
    "agreement.read_per_annotator": [
        api("GET", "pairs", query="label=games"),
        api("GET", "annotators"),
        page("GET", "labeling:agreement_pairs_csv", query="label=games"),
        page("GET", "labeling:pairs", query="label=games"),
        page("GET", "labeling:pair", two_raters),
        page("GET", "labeling:pair_csv", two_raters),
        page("GET", "labeling:agreement_without_csv"),
        page("GET", "labeling:annotators", query="label=games"),
        page("GET", "labeling:annotators_csv"),
        page("GET", "labeling:annotator", own_rater, foreign=foreign_rater),
    ],
    "consensus.read": [api("GET", "consensus")],
    "adjudication.list": [
        api("GET", "case_queue"),
        api("GET", "adjudication", disputed),
        api("GET", "acceptances"),
        page("GET", "labeling:adjudicate"),
        page("GET", "labeling:accept"),
    ],
    "adjudication.decide": [
        api("POST", "adjudication", disputed, sends(verdicts={"games": "yes"}, cause="overlooked"), if_match=version),
        api("POST", "send_back", sendable, lambda w, who: {"judgment": answer_of(w), "message": "Again."},
            if_match=lambda w: adjudication.case_of(w.sendable).version),
        api("POST", "ask_one_more", disputed, if_match=version),
        api("POST", "acceptances", body=sends(audit_share=0.1)),
        page("GET", "labeling:case", disputed),
        page("POST", "labeling:decide", disputed, lambda w, who: {
            "version": version(w), "label.games": "yes", "cause": "overlooked",
        }),
        page("POST", "labeling:later", disputed),
        page("POST", "labeling:send_back", sendable, lambda w, who: {
            "version": adjudication.case_of(w.sendable).version, "judgment": answer_of(w), "message": "Again.",
        }),
        page("POST", "labeling:ask_one_more", disputed, lambda w, who: {"version": version(w)}),
        page("POST", "labeling:accept_start", body=sends(percent="5")),
    ],
    "adjudication.decide_own_judged_item": [
        api("POST", "adjudication", lambda w, who: {"slug": w.project.slug, "public_id": w.self_judged.public_id},
            sends(verdicts={"games": "yes"}, cause="overlooked"),
            if_match=lambda w: adjudication.case_of(w.self_judged).version),
    ],
    "adjudication.reopen": [
        api("POST", "reopen", lambda w, who: {"slug": w.project.slug, "public_id": w.decided.public_id},
            sends(note="Again.")),
        page("POST", "labeling:reopen", lambda w, who: {"slug": w.project.slug, "public_id": w.decided.public_id},
             sends(note="Again.")),
    ],
    # ---- gold
    "sample.read": [
        api("GET", "samples"),
        api("GET", "sample", both(in_project, lambda w, who: {"number": w.draw.number})),
        api("GET", "sample_probabilities", both(in_project, lambda w, who: {"number": w.draw.number})),
        page("GET", "labeling:samples"),
        page("GET", "labeling:sample", both(in_project, lambda w, who: {"number": w.draw.number})),
    ],
    "sample.draw": [
        api("POST", "samples", body=sends(size=1, seed="b")),
        page("POST", "labeling:sample_draw", body=sends(size=1, overlap=2, seed="c")),
        api("POST", "samples_ask_again", ok=frozenset({202, 409})),
        page("POST", "labeling:sample_ask_again", ok=frozenset({302, 409})),
    ],
    "release.list_read": [
        api("GET", "releases"), api("GET", "release_version", release),
        page("GET", "labeling:releases"), page("GET", "labeling:release_version", release),
    ],
    "release.cut": [
        api("POST", "releases", body=sends(notes="One more."), ok=frozenset({202, 409})),
        page("POST", "labeling:release_freeze", body=sends(notes="One more."), ok=frozenset({302, 303, 409, 422})),
    ],
    "model.read_metrics": [
        learning("GET", "training_runs"), learning("GET", "training_run", numbered("training")),
        learning("GET", "learning_curve"), page("GET", "active_learning:learning"),
    ],
    "model.retrain_now": [
        learning("POST", "training_runs", body=nothing),
        page("POST", "active_learning:train"),
        page("GET", "active_learning:job", lambda w, who: {"slug": w.project.slug, "job_id": w.training_job.pk}),
    ],
    "model.upload_artifact": [
        learning(method, "training_run", numbered("training"), sends(artifact="x"))
        for method in ("PUT", "POST", "PATCH")
    ],
    "batch.read": [
        learning("GET", "batches"), learning("GET", "batch", numbered("batch")),
        page("GET", "active_learning:batch", numbered("batch")),
    ],
    "batch.create": [
        learning("POST", "batches", body=sends(size=5, strategy="random", random_share=1.0), ok=frozenset({202, 409})),
        page(
            "POST", "active_learning:choose", body=sends(size=5, strategy="random", random_share=1.0),
            ok=frozenset({302, 303, 409}),
        ),
    ],
    "release.download": [
        api("GET", "release_csv", release),
        api("GET", "release_file", both(release, sends(name="manifest.json"))),
    ],
    "release.verify": [page("GET", "labeling:release_verifier")],
    "release.diff": [api("GET", "release_diff", both(release, lambda w, who: {"other": w.release.version}))],
    "release.edit": [
        *(api(method, "release_version", release, sends(notes="Other")) for method in ("PUT", "PATCH")),
        *admin_calls("goldrelease", lambda w: w.release.pk)[:1],
        *admin_calls("golditem", lambda w: w.release.gold_items.first().pk),
    ],
    "release.delete": [
        api("DELETE", "release_version", release),
        *admin_calls("goldrelease", lambda w: w.release.pk)[1:],
    ],
    "audit.edit": [page("POST", "admin:labeling_event_add", nothing, sends(kind="made up"))],
}  # fmt: skip
