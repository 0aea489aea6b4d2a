"""Declarations of registers, variables and parameters. PTX ISA 9.0, chapter 5."""

from __future__ import annotations

from .lexer import Tokens
from .model import Literal, Name, Operand, Place, Registers, Variable
from .scalars import SCALARS, Scalar

_SPACES = (".global", ".const", ".shared", ".local", ".param")
#: Far more than any compiler asks for, and few enough for the C compiler.
_MOST_REGISTERS = 1_000_000
_VECTORS = {".v2": 2, ".v4": 4, ".v8": 8}


def parse_registers(tokens: Tokens) -> Registers:
    """ ".reg" TYPE NAME ["<" INTEGER ">"] {"," NAME ["<" INTEGER ">"]} ";" """
    tokens.expect(".reg")
    scalar, names = _scalar(tokens), []
    while True:
        name = tokens.expect_kind("name")
        if tokens.accept("<"):
            count = tokens.integer()
            if count > _MOST_REGISTERS:
                raise tokens.error(f"{count} registers; there may be {_MOST_REGISTERS}")
            names += [f"{name}{number}" for number in range(count)]
            tokens.expect(">")
        else:
            names.append(name)
        if not tokens.accept(","):
            break
    tokens.expect(";")
    return Registers(scalar, tuple(names))


def parse_variable(tokens: Tokens, is_extern: bool = False) -> Variable:
    """SPACE [".align" INTEGER] TYPE NAME {"[" [INTEGER] "]"} ["=" initial]"""
    space = tokens.peek().text
    if space not in _SPACES:
        raise tokens.error(f"expected one of {', '.join(_SPACES)}, a function or '.reg'")
    tokens.take()
    alignment = _alignment(tokens)
    count: int | None = _VECTORS.get(tokens.peek().text, 1)
    if count != 1:
        tokens.take()
    scalar = _scalar(tokens)
    alignment = alignment or scalar.size * (count or 1)
    name = tokens.expect_kind("name")
    while tokens.accept("["):
        if tokens.accept("]"):
            count = None
        else:
            count = (count or 0) * tokens.integer()
            tokens.expect("]")
    if is_extern and space != ".shared":
        raise tokens.error(f"'{name}' lies in another module; link first")
    written = Place(tokens.name, tokens.peek().line)
    initial = _initial(tokens) if tokens.accept("=") else ()
    return Variable(space[1:], name, scalar, count, alignment, written, initial)


def parse_parameter(tokens: Tokens) -> Variable:
    """A variable in ``.param`` space; what it says of a pointer's target is not needed."""
    tokens.expect(".param")
    alignment = _alignment(tokens)
    scalar = _scalar(tokens)
    while tokens.peek().kind == "directive":  # .ptr .global .align 16
        if tokens.take().text == ".align":
            tokens.integer()
    name, count = tokens.expect_kind("name"), 1
    if tokens.accept("["):
        count = tokens.integer()
        tokens.expect("]")
    written = Place(tokens.name, tokens.peek().line)
    return Variable("param", name, scalar, count, alignment or scalar.size, written)


def _alignment(tokens: Tokens) -> int:
    return tokens.integer() if tokens.accept(".align") else 0


def _scalar(tokens: Tokens) -> Scalar:
    """A type that the runner knows."""
    scalar = SCALARS.get(tokens.peek().text[1:])
    if scalar is None:
        raise tokens.error("expected a type")
    tokens.take()
    return scalar


def _initial(tokens: Tokens) -> tuple[Operand, ...]:
    """value | "{" value {"," value} "}" """
    if not tokens.accept("{"):
        return (_value(tokens),)
    values = [_value(tokens)]
    while tokens.accept(","):
        values.append(_value(tokens))
    tokens.expect("}")
    return tuple(values)


def _value(tokens: Tokens) -> Operand:
    """NUMBER | NAME | "generic" "(" NAME ")" """
    if tokens.peek().kind == "number":
        return Literal(tokens.take().text)
    name = tokens.expect_kind("name")
    if name == "generic":
        tokens.expect("(")
        name = tokens.expect_kind("name")
        tokens.expect(")")
    return Name(name)
