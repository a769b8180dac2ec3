"""The one policy: which role may do which action. Doors declare an action; querysets scope by membership first.

A row names the project roles that may do the action. `own` marks actions that reach only one's own or assigned objects:
the queryset behind the door narrows them, so that a foreign object is a 404. Superusers may do what a manager may,
unless the row says otherwise; they never judge or decide, because a judgment needs a person with that role.

A person with several roles may do what any of them may, with one exception, `blind`: whoever may be given a page to
judge sees no opinion of it before, whatever else they are. Each door that shows opinions asks this policy and nothing
else.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling.models import Membership, Project, User
from labeling.refusals import Forbidden

Person = User | AnonymousUser
V, AN, AD, M = "viewer", "annotator", "adjudicator", "manager"
EVERYONE = frozenset({V, AN, AD, M})


@dataclass(frozen=True, slots=True)
class Rule:
    roles: frozenset[str] = frozenset()
    superuser: bool = True
    browser_only: bool = False  # a token cannot do it, whatever its scope
    blind: frozenset[str] = frozenset()  # roles that take the action away, from superusers too


def _rule(*roles: str, superuser: bool = True, browser_only: bool = False, blind: tuple[str, ...] = ()) -> Rule:
    return Rule(frozenset(roles), superuser, browser_only, frozenset(blind))


# Actions inside a project. What is not here is impossible for everyone.
POLICY: dict[str, Rule] = {
    "project.read": _rule(V, AN, AD, M),
    "project.update_settings": _rule(M),
    "project.archive": _rule(M),
    "project.delete": _rule(),
    "member.list": _rule(AD, M),
    "member.add_remove_role": _rule(M),
    "member.set_quota": _rule(M),
    "account.invite": _rule(M, browser_only=True),
    "schema.read": _rule(V, AN, AD, M),
    "schema.create_version": _rule(M),
    "schema.ask_again": _rule(M),
    "guideline.propose_change": _rule(AN, AD, M),
    "item.import": _rule(M),
    "import.read_report": _rule(M),
    "import.cancel": _rule(M),
    "item.list": _rule(V, AD, M),
    "item.read_any": _rule(V, AN, AD, M),  # annotators: the queryset leaves leased and judged items only
    "item.read_text": _rule(AN, AD, M),  # asked only where the project marks its pages as sensitive
    "item.read_whole": _rule(M),  # addresses with their queries, and what came beside a page
    "item.withdraw": _rule(M),
    "queue.claim": _rule(AN, AD, superuser=False),
    "queue.release_own_lease": _rule(AN, AD, superuser=False),
    "queue.release_other_lease": _rule(M),
    "queue.set_priority": _rule(M),  # and given, taken back, reserved, put back
    "queue.read": _rule(M),
    "draft.save_own": _rule(AN, AD, superuser=False),
    "desk.set_own": _rule(AN, AD, superuser=False),
    "judgment.create": _rule(AN, AD, superuser=False),
    "judgment.revise_own": _rule(AN, AD, superuser=False),
    "judgment.read_own": _rule(AN, AD, superuser=False),
    "judgment.void": _rule(M),
    "judgment.import": _rule(M),
    # Before a page is done: nobody who may be given it. After: adjudicators must see what they are to settle.
    "judgment.read_others_before_done": _rule(M, blind=(AN, AD)),
    "judgment.read_others_after_done": _rule(AD, M),
    "judgment.read_identified": _rule(M),
    "assignment.skip_own": _rule(AN, AD, superuser=False),
    "flag.create": _rule(AN, AD, M),  # who answers pages: about those they were given
    "flag.read": _rule(AN, AD, M),  # annotators: their own
    "flag.comment": _rule(AN, AD, M),  # annotators: in the threads of their own
    "flag.resolve": _rule(AD, M),  # of a page that was set aside: who may withdraw pages
    "prediction.read_before_judging": _rule(M, blind=(AN, AD)),
    "gold_answer.read": _rule(AD, M),
    "consensus.read": _rule(AD, M, blind=(AN,)),  # adjudicators: of pages that are done
    "adjudication.list": _rule(AD, M),
    "adjudication.decide": _rule(AD, superuser=False),
    "adjudication.reopen": _rule(AD, M),
    "honeypot.manage": _rule(M, blind=(AN, AD)),
    "annotator.pause_reinstate": _rule(M),
    "exposure.read_own": _rule(AN, AD, superuser=False),
    # What a day cost somebody says what they ticked: a day of one page is that page's answer.
    "exposure.read_project": _rule(M, blind=(AN, AD)),
    "suggestion.read_anchoring": _rule(M),
    "agreement.read_project": _rule(V, AD, M),
    "agreement.read_per_annotator": _rule(AN, AD, M),  # annotators: own figures only
    "rejudge.draw": _rule(M),
    "rejudge.read": _rule(V, AD, M),  # figures of samples, no page
    # Which labels of which pages may be wrong is an opinion on them.
    "doubt.read": _rule(AD, M, blind=(AN,)),
    "doubt.act": _rule(M),
    "dashboard.project": _rule(V, AN, AD, M),  # annotators: own figures only
    "model.retrain_now": _rule(M),
    "model.read_metrics": _rule(V, AD, M),
    "model.download_artifact": _rule(M),
    "batch.create": _rule(M),
    "batch.read": _rule(M),
    "sample.draw": _rule(M),
    "sample.read": _rule(M),
    "release.list_read": _rule(V, AD, M),
    "release.cut": _rule(M),
    "release.download": _rule(V, AD, M),
    "release.verify": _rule(V, AD, M),
    "release.diff": _rule(V, AD, M),
    "export.create": _rule(M),
    "audit.read_project": _rule(M),
    "job.status": _rule(AN, AD, M),  # annotators and adjudicators: jobs they asked for
}

# Actions outside any project: "anyone" logged in or not, "person" logged in, "creator" allowed to make projects,
# "manager" of any project, "superuser", "nobody".
GLOBAL_POLICY: dict[str, str] = {
    "health.live": "anyone",
    "health.metrics": "anyone",  # from this machine; from elsewhere the door asks for health.detail
    "health.detail": "superuser",
    "account.login": "anyone",
    "account.logout": "person",
    "account.accept_invite": "anyone",
    "account.reset_password": "anyone",
    "account.change_own_password": "person",
    "account.sessions_own": "person",
    "account.preferences_own": "person",
    "account.list_users": "manager",  # managers: names of people in their projects
    "account.deactivate": "superuser",
    "account.set_role_global": "superuser",
    "token.create_own": "person",
    "token.read_other": "nobody",
    "token.revoke_other": "superuser",
    "project.list": "person",
    "project.create": "creator",
    "api.schema": "person",
    "dashboard.cross_project": "superuser",
    "admin_site.open": "superuser",
    "invariants.check": "superuser",
    "backup.create": "superuser",
}
BROWSER_ONLY = frozenset(
    {
        "account.change_own_password", "account.sessions_own", "account.preferences_own", "account.list_users",
        "account.deactivate", "account.set_role_global", "token.create_own", "dashboard.cross_project",
        "admin_site.open", "account.login", "account.logout", "account.accept_invite", "account.reset_password",
        "token.read_other", "token.revoke_other",
    }
)  # fmt: skip

SENTENCES = {
    "queue.claim": gettext_noop(
        "Only annotators and adjudicators of a project are given its pages to judge. Ask a manager."
    ),
    "adjudication.decide": gettext_noop("Only adjudicators of this project decide. Ask a manager for the role."),
}
BLIND = gettext_noop("Who may be given pages here sees no opinions about them. Ask a manager for the numbers you need.")
DEFAULT_SENTENCE = gettext_noop("Your role in this project does not include this. Ask a manager of the project.")


def may(user: Person, action: str, project: Project | None = None, *, roles: frozenset[str] | None = None) -> bool:
    """Whether this person may do the action here. `roles` saves the query when the caller knows them already."""
    if project is None:
        return may_globally(user, action)
    rule = POLICY.get(action)
    if rule is None or not user.is_active:
        return False
    if user.is_superuser and rule.superuser and not rule.blind:
        return True
    held = roles_of(user, project) if roles is None else roles
    if rule.blind & held:
        return False
    return bool(rule.roles & held) or (user.is_superuser and rule.superuser)


def sees_others(user: Person, project: Project, *, roles: frozenset[str]) -> bool:
    """Whether figures of other people may be shown to this person: by a role that is not the one of who is measured."""
    return may(user, "agreement.read_per_annotator", project, roles=roles - {AN})


def may_globally(user: Person, action: str) -> bool:
    who = GLOBAL_POLICY.get(action)
    if who == "anyone":
        return True
    if not (user.is_authenticated and user.is_active):
        return False
    if who == "creator":
        return bool(user.is_superuser or getattr(user, "may_create_projects", False))
    if who == "manager":
        return user.is_superuser or user.memberships.filter(role=M).exists()
    return who == "person" or (who == "superuser" and bool(user.is_superuser))


def require(user: Person, action: str, project: Project | None = None, *, roles: frozenset[str] | None = None) -> None:
    """Raise Forbidden with a sentence unless this person may do it."""
    if project is not None and roles is None:
        roles = roles_of(user, project)
    if not may(user, action, project, roles=roles):
        is_blind = bool(POLICY[action].blind & roles) if roles and action in POLICY else False
        raise Forbidden(_(BLIND if is_blind else SENTENCES.get(action, DEFAULT_SENTENCE)))


@dataclass(frozen=True, slots=True)
class Sight:
    """What a person may see of a project's items, and so may search by."""

    consensus: bool  # what people answered
    whole: bool  # addresses with their queries, and what came beside a page
    text: bool  # title and text


def sight(user: Person, project: Project, *, roles: frozenset[str] | None = None) -> Sight:
    roles = roles_of(user, project) if roles is None else roles
    return Sight(
        consensus=may(user, "consensus.read", project, roles=roles),
        whole=may(user, "item.read_whole", project, roles=roles),
        text=not project.sensitive or may(user, "item.read_text", project, roles=roles),
    )


def roles_of(user: Person, project: Project) -> frozenset[str]:
    if isinstance(user, AnonymousUser):
        return frozenset()
    return frozenset(Membership.objects.filter(project=project, user=user).values_list("role", flat=True))


def is_browser_only(action: str) -> bool:
    rule = POLICY.get(action)
    return rule.browser_only if rule is not None else action in BROWSER_ONLY
