"""One command for every check: ``nox`` runs lint, types and tests in this environment."""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check format and lint rules."""
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly."""
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test, the import rule and the documentation tests among them."""
    session.run("pytest", *session.posargs)
