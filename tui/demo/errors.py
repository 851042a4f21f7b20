"""The one error that the demo shows to a person: what is wrong, and what to do about it."""


class DemoError(Exception):
    """Raised wherever the demo cannot go on; `what` says why, `try_` says what helps."""

    def __init__(self, what: str, try_: str) -> None:
        super().__init__(f"{what}. {try_}")
        self.what = what
        self.try_ = try_
