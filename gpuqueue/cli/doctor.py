"""x."""


def doctor() -> None:
    """To come."""
