"""A command's documentation as plain data, for pages, help texts and listings."""

from __future__ import annotations

from typing import Any

from gpuqueue.binary import JsonValue
from gpuqueue.commands.base import Command


def describe_command(command: Command[Any]) -> dict[str, JsonValue]:
    """Name, description, groups, arguments and result of a command.

    An argument has ``name``, ``type`` (JSON Schema's words, alternatives joined by ``|``),
    ``required``, ``default`` (null if required), ``choices`` (null if free) and ``description``.
    """
    schema = command.parameters.model_json_schema()
    required = schema.get("required", ())
    return {
        "name": command.name,
        "description": command.description,
        "groups": list(command.groups),
        "arguments": [
            _argument(name, field, schema.get("$defs", {}), name in required)
            for name, field in schema.get("properties", {}).items()
        ],
        "returns": command.returns,
        "queueable": command.queueable,
    }


def _argument(
    name: str, field: dict[str, Any], definitions: dict[str, Any], required: bool
) -> dict[str, JsonValue]:
    return {
        "name": name,
        "type": _type(field, definitions),
        "required": required,
        "default": field.get("default"),
        "choices": _choices(field, definitions),
        "description": field.get("description", ""),
    }


def _resolved(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The field itself, or the definition that its reference names."""
    reference: str | None = field.get("$ref")
    return definitions[reference.rpartition("/")[2]] if reference else field


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    field = _resolved(field, definitions)
    if "anyOf" in field:
        return "|".join(_type(part, definitions) for part in field["anyOf"])
    if field.get("type") == "array" and "items" in field:
        return f"array of {_type(field['items'], definitions)}"
    return str(field.get("type", "any"))


def _choices(field: dict[str, Any], definitions: dict[str, Any]) -> list[JsonValue] | None:
    field = _resolved(field, definitions)
    parts = [_resolved(part, definitions) for part in field.get("anyOf", [field])]
    values = [value for part in parts for value in part.get("enum", _constant(part))]
    return values or None


def _constant(field: dict[str, Any]) -> list[JsonValue]:
    return [field["const"]] if "const" in field else []
