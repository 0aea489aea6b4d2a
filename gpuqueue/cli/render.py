"""x."""


def render() -> None:
    """To come."""
