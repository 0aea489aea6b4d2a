"""``approximate``: how finely curved geometry is cut into triangles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gpuqueue.scene.freeform.approximation import Approximation
from gpuqueue.scene.source import Place
from gpuqueue.scene.tokens import Tokens, words

_KINDS = words("surface subdivision ccmesh displace space curve trim trilist all")
_VIEW = ("view", "offscreen")
#: Words that choose among ways to triangulate of which we have one.
_IGNORED = words("tree grid delaunay nosmoothing shared implicit all")
_MAX_LEVEL = 30


@dataclass(frozen=True)
class ApproximationStatement:
    """What is approximated (``surface``, ``curve``, ...), how, and the names with their places.

    `is_by_view` is set where bounds are in pixels, which are not known here.
    """

    what: str
    how: Approximation
    names: tuple[tuple[str, Place], ...] = ()
    is_by_view: bool = False

    def usable(
        self, default: Approximation, warn: Callable[[str, Place], None], at: Place
    ) -> Approximation:
        """Return what can be done without a view; the default's angle if nothing else bounds it."""
        how = self.how
        if self.is_by_view:
            warn("lengths in pixels are not known here; the surface is cut by angle", at)
            how = replace(how, length=0.0, distance=0.0)
        is_bounded = how.parametric is not None or how.length or how.distance or how.angle
        return how if is_bounded else replace(how, angle=default.angle)


def parse_approximation(tokens: Tokens, *, named: bool = True) -> ApproximationStatement:
    """approximate = "approximate" [kind] { item } [min max] [("max" | "samples") n] { name }.

    In options it ends in "all" and is not `named`: what follows belongs to the next option.
    """
    tokens.expect_word("approximate")
    kinds = []
    while kind := tokens.accept_word(*_KINDS):
        kinds.append(kind)
    how, is_by_view = _parse_items(tokens)
    names = []
    while named and tokens.at_string():
        at = tokens.peek().place
        names.append((tokens.string(), at))
    return ApproximationStatement(" ".join(kinds), how, tuple(names), is_by_view)


def _parse_items(tokens: Tokens) -> tuple[Approximation, bool]:
    how, is_by_view = Approximation(), False
    while True:
        if tokens.accept_word(*_VIEW):
            is_by_view = True
        elif tokens.accept_word("any"):
            how = replace(how, any_bound=True)
        elif tokens.accept_word("fine"):
            how = replace(how, levels=(0, 7))
        elif tokens.at_word("regular", "parametric"):
            how = _parse_parametric(tokens, how)
        elif word := tokens.accept_word("length", "distance", "angle", "spatial", "curvature"):
            is_by_view |= bool(tokens.accept_word(*_VIEW))
            how = _parse_bound(tokens, how, word)
        elif tokens.accept_word("grading", "sharp", "max", "samples"):
            _amount(tokens)
        elif tokens.at_integer():
            how = replace(how, levels=_parse_levels(tokens))
        elif not tokens.accept_word(*_IGNORED):
            return how, is_by_view


def _parse_parametric(tokens: Tokens, how: Approximation) -> Approximation:
    """parametric = ["regular"] "parametric" u ["%"] [v ["%"]]."""
    regular = bool(tokens.accept_word("regular"))
    tokens.expect_word("parametric")
    numbers = [_amount(tokens)]
    if tokens.at_mark("%"):
        raise tokens.fail("'%' of 'parametric' is not supported; write how many pieces")
    if tokens.at_number():
        numbers.append(_amount(tokens))
    return replace(how, parametric=(numbers[0], numbers[-1]), regular=regular)


def _parse_bound(tokens: Tokens, how: Approximation, word: str) -> Approximation:
    if word == "curvature":
        return replace(how, distance=_amount(tokens), angle=_amount(tokens))
    if word == "distance":
        return replace(how, distance=_amount(tokens))
    if word == "angle":
        return replace(how, angle=_amount(tokens))
    return replace(how, length=_amount(tokens))


def _parse_levels(tokens: Tokens) -> tuple[int, int]:
    least = tokens.integer("the least level", 0, _MAX_LEVEL)
    return least, tokens.integer("the greatest level", least, _MAX_LEVEL)


def _amount(tokens: Tokens) -> float:
    at = tokens.peek().place
    value = tokens.number()
    if value < 0:
        raise at.error(f"an approximation cannot have the negative number {value:g}")
    return value
