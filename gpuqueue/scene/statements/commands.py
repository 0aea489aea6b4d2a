"""Statements that change how a file is read, or that we must not obey."""

from __future__ import annotations

from collections.abc import Callable

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Opaque
from gpuqueue.scene.statements.shading import parse_arguments, parse_shader_list
from gpuqueue.scene.statements.skip import skip_block
from gpuqueue.scene.tokens import Kind, Tokens


def skip_verbose(tokens: Tokens, _: Document) -> None:
    """verbose = "verbose" (truth | INT)."""
    tokens.boolean() if tokens.at_boolean() else tokens.integer("a truth or an integer")


def skip_string(tokens: Tokens, _: Document) -> None:
    """link, echo, root, touch: a name; never followed."""
    tokens.name()


def refuse_to_run(tokens: Tokens, document: Document) -> None:
    """system = "system" STR: never executed."""
    at = tokens.peek().place
    tokens.string()
    document.warnings("'system' commands are never run", at)


def skip_code(tokens: Tokens, document: Document) -> None:
    """code = "code" (STR | HEX+): never compiled."""
    at = tokens.peek().place
    if tokens.peek().kind is not Kind.HEX:
        tokens.string("code as a string or in apostrophes")
    while tokens.peek().kind is Kind.HEX:
        tokens.take()
    document.warnings("'code' is never compiled", at)


def skip_memory(tokens: Tokens, _: Document) -> None:
    """memory = "memory" INT."""
    tokens.integer(low=0, high=1 << 40)


def skip_version(tokens: Tokens, _: Document) -> None:
    """version = ["min" | "max"] "version" STR; files of every version are read alike."""
    tokens.accept_word("version")
    tokens.string("a version in quotes")


def skip_setting(tokens: Tokens, _: Document) -> None:
    """set = ("set" | "debug") name [name]."""
    tokens.name()
    if tokens.at_string():
        tokens.string()


def skip_registry(tokens: Tokens, document: Document) -> None:
    """registry = "registry" name { item } "end" "registry"."""
    document.warnings("registries are ignored", tokens.peek().place)
    skip_block(tokens, "registry")


def skip_call(tokens: Tokens, document: Document) -> None:
    """call = "call" shader-list ["," camera options]: shaders are not run for their effect."""
    document.warnings("'call' is ignored", tokens.peek().place)
    parse_shader_list(tokens, document)
    if tokens.accept_mark(","):
        tokens.name()
        tokens.name()


def delete(tokens: Tokens, document: Document) -> None:
    """delete = "delete" name."""
    document.entities.pop(tokens.name(), None)


def begin_namespace(tokens: Tokens, document: Document) -> None:
    """namespace = "namespace" name ... "end" "namespace"; names in it are taken as they stand."""
    document.warnings("namespaces are ignored: names are taken as they stand", tokens.peek().place)
    tokens.name()
    document.open_namespaces += 1


def end_namespace(tokens: Tokens, document: Document) -> None:
    """The end of a namespace, the only "end" at the top level."""
    if not document.open_namespaces:
        raise tokens.expected("a statement; there is nothing to end")
    tokens.expect_word("namespace")
    document.open_namespaces -= 1


def skip_data(tokens: Tokens, _: Document) -> None:
    """data = "data" name ["tag" INT] ( INT "[" HEX* "]" | STR | name "(" args ")" )."""
    tokens.name("the name of the data")
    if tokens.accept_word("tag"):
        tokens.integer()
    if tokens.at_integer():
        tokens.integer()
        tokens.skip_balanced("[", "]")
    elif tokens.at_mark("["):
        tokens.skip_balanced("[", "]")
    else:
        tokens.name("data")
        if tokens.at_mark("("):
            parse_arguments(tokens, "(", ")")


def skip_entity(keyword: str) -> Callable[[Tokens, Document], None]:
    """An entity of no use to us, up to its end."""

    def skip(tokens: Tokens, document: Document) -> None:
        at = tokens.peek().place
        document.define(Opaque(tokens.name(), at))
        document.warnings(f"'{keyword}' is ignored", at)
        skip_block(tokens, keyword)

    return skip


def skip_gui(tokens: Tokens, _: Document) -> None:
    """gui = "gui" [name] ["(" attributes ")"] "{" controls "}"."""
    if tokens.at_string():
        tokens.string()
    if tokens.at_mark("("):
        tokens.skip_balanced("(", ")")
    tokens.skip_balanced("{", "}")
