"""In a real browser no stored word runs: no payload calls the canary, complains to the console or leaves the site."""

import pytest

from tests.corpora import records
from tests.full_house import ROLES, build, readable_paths

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAYLOADS = [record["payload"] for record in records("xss.jsonl")]
CANARY = "window.__ts_xss = (id) => (window.__ts_ran ??= []).push(id)"


@pytest.mark.parametrize("role", [role for role in ROLES if role in {"annotator", "adjudicator", "manager"}])
def test_no_page_of_a_hostile_house_runs_its_words(visit, transactional_db, role):
    house = build(lambda n: PAYLOADS[n % len(PAYLOADS)])
    visitor = visit(house.people[role])
    visitor.context.add_init_script(CANARY)
    ran, n_pages = [], 0
    for paths in readable_paths(house, most=1).values():
        for path in (path for path in paths if path.startswith("/p/")):
            answer = visitor.page.request.get(path, max_redirects=0)
            is_page = answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")
            if not is_page:
                continue
            visitor.page.goto(path)
            ran += visitor.page.evaluate("window.__ts_ran ?? []")
            n_pages += 1
    assert n_pages >= 2 and ran == []
