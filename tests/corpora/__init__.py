"""Inputs from outside, kept beside their licences, and the few lines that read them."""

import base64
import json
import zlib
from pathlib import Path

BAD_INPUTS = Path(__file__).parent / "bad_inputs"


def records(name: str) -> list[dict]:
    """The objects of one .jsonl corpus. The file is ASCII: lone surrogates stand in it as escapes."""
    return [json.loads(line) for line in (BAD_INPUTS / name).read_text("utf-8").splitlines()]


def redos_strings() -> list[str]:
    """Strings that make careless patterns slow."""
    packed = [base64.b64decode(record["z"]) for record in records("redos.jsonl")]
    return [zlib.decompress(data).decode("utf-8", "surrogatepass") for data in packed]
