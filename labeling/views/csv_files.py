"""Tables as CSV files."""

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

from labeling.exports import spreadsheet_safe
from labeling.quality.intervals import Estimate

Csv = tuple[list[str], Iterable[list[Any]]]  # heads, rows


def csv_file(name: str, head: list[str], rows: Iterable[list[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(head)
    # Words come with imported files: a spreadsheet must not run what looks like a formula.
    writer.writerows([spreadsheet_safe(str(cell)) for cell in row] for row in rows)
    return response


def ends(found: Estimate) -> list[float | str]:
    """Value and both ends as three cells, empty where undefined."""
    return ["" if part is None else part for part in (found.value, found.low, found.high)]
