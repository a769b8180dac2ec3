"""What the domain says no with: a sentence for the person who can act. The doors turn it into a message or a 4xx."""


class Refused(Exception):
    """The request makes sense but cannot be done now (409)."""

    status = 409
    code = "refused"

    def __init__(self, sentence: str, **extra: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.extra = extra


class Unacceptable(Refused):
    """What was sent cannot be taken as it is (422). `errors` names the fields: [{"pointer", "detail"}]."""

    status = 422
    code = "unacceptable"

    def __init__(self, sentence: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(sentence)
        self.errors = errors or []


class Forbidden(Refused):
    """A member, but not in a role that may do this (403)."""

    status = 403
    code = "forbidden"


class Stale(Refused):
    """Someone else changed it meanwhile (412). `extra` carries both versions."""

    status = 412
    code = "stale"


class LeaseLost(Refused):
    """The slot went to someone else. The answer is kept as the draft."""

    code = "lease_lost"


class NotKept(LeaseLost):
    """The slot is gone, and another device has newer ticks: these are kept nowhere. `extra` carries both."""


class TakenOut(LeaseLost):
    """The page was taken out of the project while it was open. The answer is kept as the draft."""

    code = "taken_out"
