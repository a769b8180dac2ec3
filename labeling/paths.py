"""Parts of addresses that are more than words, registered once, however often addresses are read."""

from django.urls import register_converter


class PublicId:
    """The public id of an item. What is none is not found before anything is asked of the database."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "public_id")
