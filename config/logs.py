"""Log lines as JSON objects."""

import json
import logging
from datetime import UTC, datetime


class JSONLines(logging.Formatter):
    """One JSON object a line; control characters of user input are escaped, so a line cannot be forged."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)
