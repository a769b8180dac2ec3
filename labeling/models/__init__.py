from labeling.models.conduct import ConductCount, RaterTotal, RaterWeek
from labeling.models.desks import Desk, PauseReason
from labeling.models.doubts import Doubt, DoubtRanking, Rejudging
from labeling.models.events import Event, Heartbeat, IdempotencyKey, Job
from labeling.models.figures import DailyCount, ProjectCount
from labeling.models.gold import Blob, Draw, GoldItem, GoldRelease, ReleaseFile
from labeling.models.items import Import, Item, ItemState, RefusedRow, RowNote, Selection, Snapshot, Stream
from labeling.models.people import ApiToken, Invite, Membership, Rater, Role, User, UserSession
from labeling.models.projects import Label, Project, SchemaVersion
from labeling.models.quality import Comment, Flag, FlagKind, FlagReading, Honeypot, LikelyLabel
from labeling.models.resolution import Adjudication, Cause, Consensus, ConsensusFit, Dispute, OpenedCase, RaterSkill
from labeling.models.rules import SkipPolicy
from labeling.models.rulings import Acceptance, AuditPick, SentBack
from labeling.models.suggestions import Suggestion
from labeling.models.summaries import AgreementCell, AgreementSummary, ConfusionCell, Counted, PairCell, RaterCell
from labeling.models.work import Assignment, Draft, Judgment, LostLease, Purpose, Skip, SkipReason, State

__all__ = [
    "Acceptance",
    "Adjudication",
    "AgreementCell",
    "AgreementSummary",
    "ApiToken",
    "Assignment",
    "AuditPick",
    "Blob",
    "Cause",
    "Comment",
    "ConductCount",
    "ConfusionCell",
    "Consensus",
    "ConsensusFit",
    "Counted",
    "DailyCount",
    "Desk",
    "Dispute",
    "Doubt",
    "DoubtRanking",
    "Draft",
    "Draw",
    "Event",
    "Flag",
    "FlagKind",
    "FlagReading",
    "GoldItem",
    "GoldRelease",
    "Heartbeat",
    "Honeypot",
    "IdempotencyKey",
    "Import",
    "Invite",
    "Item",
    "ItemState",
    "Job",
    "Judgment",
    "Label",
    "LikelyLabel",
    "LostLease",
    "Membership",
    "OpenedCase",
    "PairCell",
    "PauseReason",
    "Project",
    "ProjectCount",
    "Purpose",
    "Rater",
    "RaterCell",
    "RaterSkill",
    "RaterTotal",
    "RaterWeek",
    "RefusedRow",
    "Rejudging",
    "ReleaseFile",
    "Role",
    "RowNote",
    "SchemaVersion",
    "Selection",
    "SentBack",
    "Skip",
    "SkipPolicy",
    "SkipReason",
    "Snapshot",
    "State",
    "Stream",
    "Suggestion",
    "User",
    "UserSession",
]
