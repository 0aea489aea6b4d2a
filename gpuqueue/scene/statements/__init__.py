"""The statements of a scene file: each keyword and the function that reads what follows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gpuqueue.scene.document import Document
from gpuqueue.scene.statements import commands
from gpuqueue.scene.statements.camera import parse_camera
from gpuqueue.scene.statements.declare import parse_declare
from gpuqueue.scene.statements.graph import parse_instance, parse_instgroup, parse_render
from gpuqueue.scene.statements.light import parse_light
from gpuqueue.scene.statements.object import parse_object
from gpuqueue.scene.statements.options import parse_options
from gpuqueue.scene.statements.shading import parse_material, parse_named_shader
from gpuqueue.scene.statements.texture import parse_texture, parse_texture_with_flags
from gpuqueue.scene.textures.picture import Role
from gpuqueue.scene.tokens import Kind, Tokens

Statement = Callable[[Tokens, Document], None]

#: Statements that define an entity; only these may follow ``incremental``.
ENTITIES: dict[str, Statement] = {
    "options": parse_options,
    "camera": parse_camera,
    "light": parse_light,
    "material": parse_material,
    "shader": parse_named_shader,
    "object": parse_object,
    "instance": parse_instance,
    "instgroup": parse_instgroup,
    **{role.value: partial(parse_texture, role=role) for role in Role},
    **dict.fromkeys(("local", "writable", "filter"), parse_texture_with_flags),
    "data": commands.skip_data,
    "gui": commands.skip_gui,
    **{
        keyword: commands.skip_entity(keyword)
        for keyword in ("assembly", "userdata", "lightprofile", "colorprofile", "spectrum")
    },
}

STATEMENTS: dict[str, Statement] = {
    **ENTITIES,
    "declare": parse_declare,
    "render": parse_render,
    "delete": commands.delete,
    "verbose": commands.skip_verbose,
    "system": commands.refuse_to_run,
    "code": commands.skip_code,
    "memory": commands.skip_memory,
    "call": commands.skip_call,
    "registry": commands.skip_registry,
    "namespace": commands.begin_namespace,
    "end": commands.end_namespace,
    **dict.fromkeys(("link", "echo", "root", "touch"), commands.skip_string),
    **dict.fromkeys(("version", "min", "max"), commands.skip_version),
    **dict.fromkeys(("set", "debug"), commands.skip_setting),
}


def read_statements(tokens: Tokens, document: Document) -> None:
    """Read every statement to the end of the files into `document`. Raises SceneError."""
    while not tokens.at_end():
        document.incremental = False
        while modifier := tokens.accept_word("incremental", "private", "session"):
            if modifier == "session":
                tokens.expect_word("depth")
                tokens.integer()
            document.incremental = document.incremental or modifier == "incremental"
        table = ENTITIES if document.incremental else STATEMENTS
        statement = table.get(tokens.peek().text) if tokens.peek().kind is Kind.SYMBOL else None
        if statement is None:
            raise tokens.fail(
                f"unknown statement {tokens.peek()}; expected one of: {', '.join(sorted(table))}"
            )
        tokens.take()
        statement(tokens, document)
