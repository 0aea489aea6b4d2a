"""x."""


def inspect() -> None:
    """To come."""
