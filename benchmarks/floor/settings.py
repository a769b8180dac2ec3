"""The product's settings with two addresses: the bare view, and the sign of life."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.floor.urls"
