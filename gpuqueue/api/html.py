"""HTML that cannot be forgotten to escape: whatever was not made by `element` is text."""

from __future__ import annotations

from html import escape


class Markup(str):
    """HTML, as opposed to text. What ordinary string methods make of it is text again."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """One element. Text among `children` is escaped; ``class_`` gives the attribute ``class``."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag}{given}>{fragment(*children)}</{tag}>")


def fragment(*children: str) -> Markup:
    """Several pieces one after the other; text among them is escaped."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in children))


def page(title: str, style: str, *body: str, refresh_s: int | None = None) -> str:
    """A whole document without outside parts; it loads itself again every `refresh_s` seconds."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'{refresh}<title>{escape(title)}</title><link rel="icon" href="{ICON}">'
        f"<style>{style}</style></head>{element('body', *body)}</html>"
    )


#: A glass ball, as the data of a small SVG.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='7' fill='%234f46e5'/%3E"
    "%3Ccircle cx='5.5' cy='5' r='2' fill='%23c7d2fe'/%3E%3C/svg%3E"
)
