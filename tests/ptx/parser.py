"""Tokens to a module: its variables and functions. PTX ISA 9.0, chapters 5, 7 and 11."""

from __future__ import annotations

import re
from math import prod

from .body import parse_body
from .declarations import parse_parameter, parse_variable
from .lexer import Tokens
from .model import Function, Module, Variable

_LINKING = (".visible", ".extern", ".weak", ".common")


def parse(text: str, name: str) -> Module:
    """The module that the text describes. `name` is the file that errors speak of.

    Raises PtxError with the line.
    """
    tokens = Tokens(text, name)
    files = _source_files(text)
    module = Module()
    while tokens.peek().kind != "end":
        if not _skipped(tokens):
            _declaration(tokens, module, files)
    return module


def _source_files(text: str) -> dict[int, str]:
    """``.file number "path"``, which compilers write after the code that refers to it."""
    found = re.findall(r'^\s*\.file\s+(\d+)\s+"([^"]*)"', text, re.MULTILINE)
    return {int(number): path for number, path in found}


def _skipped(tokens: Tokens) -> bool:
    """What says nothing about what a kernel does."""
    first = tokens.peek().text
    if first in (".version", ".target", ".address_size", ".file"):
        tokens.skip_line()
    elif first == ".section":
        tokens.skip_to("}")
    elif first == ".pragma":
        tokens.skip_to(";")
    else:
        return False
    return True


def _declaration(tokens: Tokens, module: Module, files: dict[int, str]) -> None:
    is_extern = False
    while tokens.peek().text in _LINKING:
        is_extern |= tokens.take().text == ".extern"
    if tokens.peek().text in (".entry", ".func"):
        function = _function(tokens, files)
        if function.body or function.name not in module.functions:
            module.functions[function.name] = function
        return
    variable = parse_variable(tokens, is_extern)
    tokens.expect(";")
    module.variables[variable.name] = variable


def _function(tokens: Tokens, files: dict[int, str]) -> Function:
    """(".entry" | ".func") [results] NAME [parameters] {directive} (";" | body)"""
    start = tokens.take()
    results = _parameters(tokens)
    name = tokens.expect_kind("name")
    parameters = _parameters(tokens)
    max_threads = 0
    while tokens.peek().kind == "directive":
        directive = tokens.take().text
        numbers = _numbers(tokens)
        if directive in (".maxntid", ".reqntid"):
            max_threads = prod(numbers)
    body = None if tokens.accept(";") else parse_body(tokens, files)
    return Function(name, start.text == ".entry", results, parameters, max_threads, body)


def _parameters(tokens: Tokens) -> tuple[Variable, ...]:
    """["(" [parameter {"," parameter}] ")"]"""
    found: list[Variable] = []
    if tokens.accept("("):
        while not tokens.accept(")"):
            found.append(parse_parameter(tokens))
            tokens.accept(",")
    return tuple(found)


def _numbers(tokens: Tokens) -> list[int]:
    """[INTEGER {"," INTEGER}]"""
    numbers = []
    while tokens.peek().kind == "number":
        numbers.append(tokens.integer())
        tokens.accept(",")
    return numbers
