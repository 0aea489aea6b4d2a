"""``options``: keyword, string and attribute options."""

from __future__ import annotations

from dataclasses import replace

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Atom, Options
from gpuqueue.scene.statements.approximation import parse_approximation
from gpuqueue.scene.statements.attributes import parse_attribute, skip_data
from gpuqueue.scene.statements.shading import parse_shader_list
from gpuqueue.scene.tokens import Kind, Tokens

_PLAIN = (
    "samples/contrast/time contrast/jitter/samplelock/task size/samples collect/samples motion"
    "/shading samples/trace/trace depth/max displace/bsp size/bsp depth/bsp memory/bsp shadow"
    "/grid size/grid resolution/grid depth/shutter/motion/motion steps/caustic/globillum"
    "/caustic accuracy/caustic scale/globillum accuracy/globillum scale/globillum filter"
    "/photon trace depth/photon autovolume/photonvol accuracy/photonvol scale/photonmap rebuild"
    "/photonmap only/finalgather trace depth/finalgather falloff/finalgather filter"
    "/finalgather scale/finalgather secondary scale/finalgather presample density"
    "/shadowmap motion/shadowmap trace/shadowmap window/shadowmap bias/shadowmap softness"
    "/shadowmap samples/lens/volume/geometry/displace/output/merge/hair/pass/autovolume"
    "/displace presample/gamma/dither/desaturate/premultiply/object space/camera space"
    "/mixed space/world space/acceleration bsp/acceleration bsp2/acceleration large bsp"
    "/acceleration grid/acceleration raycl/diagnostic samples/diagnostic finalgather"
    "/diagnostic shadowmap"
)
#: Each phrase and the words that may stand among its numbers and truths; STRING allows strings.
PHRASES: dict[str, str] = {
    **dict.fromkeys(_PLAIN.split("/"), ""),
    "filter": "box triangle gauss mitchell lanczos clip",
    "scanline": "rapid rast opengl",
    "shadow": "sort segments",
    "face": "front back both",
    "caustic filter": "box cone gauss",
    "photonmap file": "off STRING",
    "finalgather": "fastlookup only",
    "finalgather accuracy": "view",
    "finalgather rebuild": "freeze",
    "finalgather file": "off STRING",
    "shadowmap": "opengl detail only",
    "shadowmap rebuild": "merge",
    "colorclip": "rgb alpha raw",
    "field": "off even odd",
    "luminance weight": "NTSC ntsc",
    "frame buffer": "STRING",
    "colorprofile": "STRING",
    "inheritance": "STRING",
    "traversal": "STRING",
    "lightmap": "only",
    **dict.fromkeys((f"diagnostic {kind}" for kind in ("samples", "finalgather", "shadowmap")), ""),
    "diagnostic photon": "density irradiance off",
    "diagnostic grid": "object world camera off",
    "diagnostic bsp": "depth size off",
    "diagnostic hardware": "grid window light off solid wireframe pointcloud",
}
#: The words that may follow the beginning of a phrase; "" begins every phrase.
_NEXT: dict[str, set[str]] = {}
for _words in map(str.split, PHRASES):
    for _depth, _word in enumerate(_words):
        _NEXT.setdefault(" ".join(_words[:_depth]), set()).add(_word)


def parse_options(tokens: Tokens, document: Document) -> None:
    """options = "options" name { keyword-option | STR values | attribute } "end" "options"."""
    at = tokens.peek().place
    options = document.base(Options, tokens.name("the name of the options"), at)
    keywords, strings = dict(options.keywords), dict(options.strings)
    while not tokens.at_word("end"):
        if tokens.at_string():
            name = tokens.string()
            strings[name] = parse_option_values(tokens, strings=not tokens.at_number())
        elif tokens.at_word("attribute"):
            name, values = parse_attribute(tokens)
            strings[name] = values
        elif not _skip_irrelevant(tokens, document):
            phrase = _parse_phrase(tokens)
            keywords[phrase] = _parse_phrase_values(tokens, PHRASES[phrase])
    tokens.expect_end("options")
    document.define(replace(options, keywords=keywords, strings=strings, at=at))


def _skip_irrelevant(tokens: Tokens, document: Document) -> bool:
    """state, contour, approximate and data lines."""
    if tokens.at_word("data"):
        skip_data(tokens)
    elif tokens.at_word("approximate"):
        parse_approximation(tokens, named=False)
    elif tokens.accept_word("state"):
        parse_shader_list(tokens, document)
    elif tokens.accept_word("contour"):
        tokens.expect_word("store", "contrast")
        parse_shader_list(tokens, document)
    else:
        return False
    return True


def _parse_phrase(tokens: Tokens) -> str:
    first = tokens.peek()
    phrase = ""
    while tokens.at_word(*_NEXT.get(phrase, ())):
        phrase = f"{phrase} {tokens.take().text}".strip()
    if not phrase and first.kind is not Kind.SYMBOL:
        raise tokens.expected("an option or 'end options'")
    if phrase not in PHRASES:
        raise tokens.fail(f"unknown option '{phrase or first.text}'", first)
    return phrase


def _parse_phrase_values(tokens: Tokens, allowed: str) -> tuple[Atom, ...]:
    values: list[Atom] = []
    words = [word for word in allowed.split() if word != "STRING"]
    while True:
        if word := tokens.accept_word(*words):
            values.append(word)
        elif more := parse_option_values(tokens, strings="STRING" in allowed):
            values += more
        else:
            return tuple(values)


def parse_option_values(tokens: Tokens, *, strings: bool) -> tuple[Atom, ...]:
    """Numbers or truths; or one string, if `strings`."""
    values: list[Atom] = []
    while tokens.at_number() or tokens.at_boolean():
        if tokens.at_integer():
            values.append(tokens.integer())
        else:
            values.append(tokens.boolean() if tokens.at_boolean() else tokens.number())
    if not values and strings and tokens.at_string():
        values.append(tokens.string())
    return tuple(values)
