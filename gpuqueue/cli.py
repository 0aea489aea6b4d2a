"""Placeholder while the rooms are built."""


def main() -> None:
    """Do nothing yet."""
