"""What can go wrong: PTX that is not understood, and kernels that do wrong."""


class PtxError(Exception):
    """The text is not PTX, or is PTX that the runner does not know; names file and line."""


class LaunchError(Exception):
    """A launch was refused or ended early; of a running kernel it names source line and thread."""
