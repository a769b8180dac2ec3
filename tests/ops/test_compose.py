"""The production shape in docker-compose.yml, read as data: no default secret, nothing open that need not be."""

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
LONG_RUNNING = {"postgres", "redis", "web", "worker", "beat"}


def test_every_secret_must_be_given():
    secrets = re.findall(r"\$\{(\w*(?:SECRET|PASSWORD)\w*)(.{2})", TEXT)
    assert {name for name, _ in secrets} == {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert {operator for _, operator in secrets} == {":?"}


def test_only_the_web_port_is_published_and_on_loopback():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_runs_without_root_on_a_read_only_file_system(name):
    service = SERVICES[name]
    assert service["user"] not in {"root", "0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_a_service_says_whether_it_is_well(name):
    assert SERVICES[name]["healthcheck"]["test"]
