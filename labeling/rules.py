"""How work is given out, as settings of a project: the columns of `models.rules`, under the headings people see."""

from typing import Any

from labeling.models import Project
from labeling.models.rules import SkipPolicy
from labeling.settings_sections import Setting, SettingsSection, Values

WHO_IS_ASKED = (
    Setting(
        "overlap_share", "Share of pages asked of so many people", "0 to 1. The other pages are asked of one person "
        "each, chosen by chance so that every stream and every site has its part. 1: every page.", float, 0, 1,
    ),
)  # fmt: skip

WHEN_IN_DOUBT = (
    Setting(
        "adaptive", "Ask more people where the answers leave it in doubt", "After its first answers, a page goes to "
        "one more person for as long as they leave a label in doubt; then a person decides. Nobody who answers can "
        "tell such a page from another, and agreement is computed without the answers that were added.", bool,
    ),
    Setting(
        "overlap_most", "People who answer a page at most", "After that a person decides what is still in doubt.",
        int, 1, 20,
    ),
    Setting(
        "overlap_budget", "Answers a page on the average, at most", "Empty: every page in doubt gets one more. With a "
        "number, a job spends that many on the pages most likely wrong, whatever the limits below.", float, 1, 20,
        optional=True,
    ),
    Setting(
        "stop_error", "A label is settled below this chance of an error", "0.01 to 0.5. 0.3 does for pages a model "
        "learns from. Two people who agree are doubted too when they are this likely to be wrong.", float, 0.01, 0.5,
    ),
    Setting("stop_error_gold", "On pages of evaluation samples below", "0.01 to 0.5.", float, 0.01, 0.5),
    Setting("stop_error_grave", "For grave labels below", "0.01 to 0.5.", float, 0.01, 0.5),
    Setting(
        "audit_share", "Share of settled pages that one more person answers", "0 to 1, chosen by chance, so that it "
        "can be told whether settled pages are right. Only where more people are asked in doubt.", float, 0, 1,
    ),
    Setting(
        "confirms_rare", "A person confirms every yes on a rare label", "Rare: on fewer than 2 pages in 100, as pages "
        "drawn by chance tell, or as declared with the label until they do.", bool,
    ),
)  # fmt: skip
OF_MORE_PEOPLE = frozenset({"adaptive", "overlap_most"})
OF_DOUBT = frozenset({"stop_error", "stop_error_gold", "stop_error_grave", "confirms_rare"})

SKIPPING = (
    Setting(
        "may_skip", "People may skip a page", "Without it a page is answered or given back; care for people comes "
        "first, so leave it on unless every page must be answered by whoever gets it.", bool,
    ),
    Setting(
        "skip_policy", "What becomes of a page that is skipped", "Set aside: nobody is given it until a manager puts "
        "it back, on the page of the queue.", str, choices=tuple(SkipPolicy.choices),
    ),
)  # fmt: skip

QUOTAS = (
    Setting(
        "quota_per_day", "Pages a person may answer in a day", "The day begins at midnight UTC. Empty: no limit. On "
        "the page of members another number can be set for one person.", int, 1, 100_000, optional=True,
    ),
    Setting("quota_total", "Pages a person may answer in all", "Empty: no limit.", int, 1, 10_000_000, optional=True),
    Setting(
        "quota_share", "Share of all answers that may be one person's", "0 to 1, of the answers given and still asked "
        "for. Empty: no limit.", float, 0.01, 1, optional=True,
    ),
)  # fmt: skip

QUALITY = (
    Setting(
        "onboarding_pages", "Pages with known answers a new person gets first", "0: none. A pool that holds "
        "fewer holds nobody up: people then start with ordinary pages.", int, 0, 1_000,
    ),
    Setting("onboarding_pass", "Share of them that must be right to go on", "0 to 1.", float, 0, 1),
    Setting(
        "honeypot_share", "Share of pages with known answers after that", "0 to 1, of the pages a person is given. "
        "They look like any other.", float, 0, 1,
    ),
    Setting(
        "repeat_share", "Share of pages a person is asked again", "0 to 1, of the pages a person is given: how often "
        "somebody agrees with themself.", float, 0, 1,
    ),
    Setting("repeat_after_days", "Days before a page is asked again", "At least 7.", int, 7, 3_650),
    Setting(
        "pause_below", "Pause a person below this score", "0 to 1, on the pages with known answers. Only when the "
        "whole interval at 99 % lies below it, on five pages or more: neither chance nor two bad pages pause anybody. "
        "Empty: never.", float, 0, 1, optional=True,
    ),
    Setting(
        "fast_seconds", "An answer is very fast below", "That many seconds at the page. Empty: it is not looked at.",
        float, 0.1, 600, optional=True,
    ),
    Setting("fast_in_a_row", "Pause after so many very fast answers in a row", "", int, 2, 1_000),
    Setting(
        "skips_in_a_row", "Pause after so many skipped pages in a row", "“I would rather not” is never counted. "
        "Empty: never.", int, 2, 1_000, optional=True,
    ),
)  # fmt: skip

CARE = (
    Setting(
        "exposure_per_day", "What a person may be exposed to in a day", "In points: a mild page is 1, a grave one 4. "
        "Empty: no limit.", int, 1, 100_000, optional=True,
    ),
    Setting(
        "severe_in_a_row", "Serious or grave pages in a row at most", "Empty: no limit.", int, 1, 1_000, optional=True,
    ),
    Setting(
        "break_after_minutes", "Propose a break after so many minutes", "Of active time, in all projects, since the "
        "last pause of five minutes. Whoever wants none switches it off for themself. Empty: never.", int, 5, 600,
        optional=True,
    ),
    Setting(
        "help_text", "Whom to turn to after a hard page", "In your own words; people read it one link away from every "
        "page.", str, high=2_000, optional=True,
    ),
    Setting("help_contact", "How to reach them", "An address, a number or a web page.", str, high=200, optional=True),
)  # fmt: skip

ON_THE_PAGE = (
    Setting(
        "suggests", "Show what the model says to half of the answers", "“The model says yes” beside a label, chosen by "
        "chance for half of the pages each person is given. People lean towards a suggestion, also where it is wrong, "
        "and a mistake they share with the model is one that nobody sees: the page Quality measures how much. Pages of "
        "evaluation samples and of the random arm are never shown with one, and whoever was shown one on a page is not "
        "asked about that page for a later sample. Off unless you need the speed.", bool,
    ),
    Setting(
        "keywords", "Words to mark in the text of a page", "One a line, up to 200. The same for everybody.", list,
    ),
)  # fmt: skip


def _section(title: str, settings: tuple[Setting, ...]) -> SettingsSection:
    def read(project: Project) -> dict[str, Any]:
        return {setting.name: getattr(project, setting.name) for setting in settings}

    def write(project: Project, values: Values) -> None:
        named = section.checked(values)
        for name, value in named.items():
            setattr(project, name, value)
        project.save(update_fields=list(named))

    section = SettingsSection(title, settings, read, write)
    return section


SECTIONS = (
    _section("Who is asked", WHO_IS_ASKED),
    _section("When answers leave doubt", WHEN_IN_DOUBT),
    _section("Skipping", SKIPPING),
    _section("Quotas", QUOTAS),
    _section("Quality", QUALITY),
    _section("Care", CARE),
    _section("On the page", ON_THE_PAGE),
)
