import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "journeys.md").read_text()
JOURNEYS = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE, flags=re.M | re.S))


def files_of(text: str) -> list[str]:
    return re.findall(r"^- `([^`]+)`", text, flags=re.M)


@pytest.mark.parametrize("title", JOURNEYS)
def test_a_journey_names_one_to_five_files_that_exist(title):
    names = files_of(JOURNEYS[title])
    assert 1 <= len(names) <= 5
    assert [name for name in names if not (REPOSITORY / name).is_file()] == []


def test_every_journey_built_so_far_is_there():
    assert [title.split(". ")[1] for title in JOURNEYS] == [
        "Import", "Annotate", "Agree", "Adjudicate", "Learn", "Sample gold", "Release", "Give out the work",
        "Keep the quality",
    ]  # fmt: skip
