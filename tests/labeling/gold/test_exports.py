"""Cells that a spreadsheet might run, held to the corpus of formula cells."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.exports import as_csv, spreadsheet_safe
from tests.corpora.bad_inputs.oracles import csv_cell_is_safe

CORPUS = Path(__file__).parents[2] / "corpora" / "bad_inputs" / "formula_cells.jsonl"
CELLS = [json.loads(line) for line in CORPUS.read_text().splitlines()]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell["id"])
def test_no_cell_of_the_corpus_is_run(cell):
    safe = spreadsheet_safe(cell["cell"])
    assert csv_cell_is_safe(safe)
    assert safe.removeprefix("'") == cell["cell"] or safe == cell["cell"]


@pytest.mark.parametrize("cell", ["-1", "+2.5", "-3e-7", "0"])
def test_numbers_stay_numbers(cell):
    assert spreadsheet_safe(cell) == cell


@given(st.text())
def test_any_text_is_safe_and_can_be_had_back(text):
    safe = spreadsheet_safe(text)
    assert csv_cell_is_safe(safe)
    assert safe in (text, f"'{text}")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_raw_cells_come_back_as_they_were(cells):
    columns = [f"c{number}" for number in range(len(cells))]
    written = b"".join(as_csv([dict(zip(columns, cells, strict=True))], columns=columns, raw=True))
    assert list(csv.reader(io.StringIO(written.decode(), newline="")))[1] == cells
