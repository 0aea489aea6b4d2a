"""``approximate``: how finely curved geometry is cut into triangles. Read and left aside."""

from __future__ import annotations

from gpuqueue.scene.tokens import Kind, Tokens, words

_KINDS = (
    "surface",
    "subdivision",
    "ccmesh",
    "displace",
    "space",
    "curve",
    "trim",
    "trilist",
    "all",
)
_TECHNIQUE = words(
    "regular parametric length distance angle spatial view offscreen curvature grading any tree"
    " grid delaunay fine nosmoothing sharp shared implicit max samples all"
)


def skip_approximation(tokens: Tokens, *, named: bool = True) -> None:
    """approximate = "approximate" [kind] { technique | number | "%" } { name }.

    In options it ends in "all" and is not `named`: what follows belongs to the next option.
    """
    tokens.expect_word("approximate")
    while tokens.accept_word(*_KINDS):
        pass
    while tokens.accept_word(*_TECHNIQUE) or tokens.at_number() or tokens.at_mark("%"):
        if tokens.at_number() or tokens.at_mark("%"):
            tokens.take()
    while named and tokens.peek().kind is Kind.STRING:
        tokens.take()
