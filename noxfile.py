"""One command for every check: ``nox`` runs lint, types and tests in this environment."""

import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


def run(session: nox.Session, *command: str) -> None:
    """Run a tool of this environment as a module, so that no PATH is needed."""
    session.run(sys.executable, "-m", *command)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format and lint rules."""
    run(session, "ruff", "format", "--check", ".")
    run(session, "ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly."""
    run(session, "mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test, and say which lines of the kernels the PTX tests never reach."""
    run(session, "pytest", "--numprocesses=2", *session.posargs)
    if not session.posargs:
        run(session, "tests.ptx.coverage")
