"""Parts of addresses that are more than words."""


class PublicId:
    """The public id of an item. What is none is not found before anything is asked of the database."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
