"""The stream and the time that figures are about, as an address says them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.http import urlencode

from labeling.daily_counts import ALL
from labeling.models import DailyCount, Stream

PERIODS = {"4": "four weeks", "12": "twelve weeks", "52": "a year", "all": "all time"}
DEFAULT_PERIOD = "12"


@dataclass(frozen=True, slots=True)
class Shown:
    """The stream and the time that figures are about."""

    stream: str = ALL
    period: str = DEFAULT_PERIOD
    today: date = date.max
    usual: str = DEFAULT_PERIOD

    @classmethod
    def asked(cls, params: Mapping[str, str], *, today: date, usual: str = DEFAULT_PERIOD) -> "Shown":
        """What an address says; what it says amiss is left out, as if it were not there. `usual`: the period then."""
        stream, period = params.get("stream", ""), params.get("period", "")
        return cls(stream if stream in Stream.values else ALL, period if period in PERIODS else usual, today, usual)

    @property
    def query(self) -> str:
        chosen = {"stream": self.stream, "period": self.period if self.period != self.usual else ""}
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def weeks(self) -> int | None:
        return None if self.period == "all" else int(self.period)

    @property
    def since(self) -> date | None:
        """The first day; None without a beginning."""
        return None if self.weeks is None else self.today - timedelta(days=7 * self.weeks - 1)

    @property
    def words(self) -> str:
        return PERIODS[self.period]

    @property
    def of_stream(self) -> str:
        return f", stream “{Stream(self.stream).label}”" if self.stream else ""

    def rows(self, days: Iterable[DailyCount]) -> list[DailyCount]:
        return [row for row in days if row.stream == self.stream and (self.since is None or row.day >= self.since)]

    def choices(self) -> dict[str, Any]:
        """For the form."""
        return {
            "streams": [(value, label, value == self.stream) for value, label in Stream.choices],
            "periods": [(value, f"The last {words}" if value != "all" else "All time", value == self.period)
                        for value, words in PERIODS.items()],
            "query": self.query,
        }  # fmt: skip
