"""The body of a function: statements and operands. PTX ISA 9.0, chapters 4 and 9."""

from __future__ import annotations

import re

from .declarations import parse_registers, parse_variable
from .lexer import Tokens
from .model import (
    BranchTargets,
    Instruction,
    Label,
    Literal,
    Name,
    Offset,
    Operand,
    Place,
    Scope,
    Several,
    Statement,
)

#: Of CUDA's own headers, whose functions are all inlined; their callers say more.
_TOOLKIT = re.compile(r"/targets/[^/]+/include/|/include/(crt/)?(sm|cuda)_")
_CLOSING = {"{": "}", "(": ")"}


def parse_body(tokens: Tokens, files: dict[int, str]) -> Scope:
    """The statements of a function, braces and all."""
    return _Body(tokens, files).scope()


class _Body:
    def __init__(self, tokens: Tokens, files: dict[int, str]) -> None:
        self._tokens = tokens
        self._files = files
        #: The line of CUDA C++ that the compiler noted last.
        self._source: Place | None = None

    def scope(self) -> Scope:
        """ "{" {statement} "}" """
        tokens, statements = self._tokens, []
        tokens.expect("{")
        while not tokens.accept("}"):
            if tokens.peek().kind == "end":
                raise tokens.error("expected '}'")
            statement = self._statement()
            if statement:
                statements.append(statement)
        return Scope(tuple(statements))

    def _statement(self) -> Statement | None:
        tokens = self._tokens
        token = tokens.peek()
        if token.text == "{":
            return self.scope()
        if token.text == ".loc":
            self._location()
            return None
        if token.text == ".pragma":
            tokens.skip_to(";")
            return None
        if token.text == ".reg":
            return parse_registers(tokens)
        if token.kind == "directive":
            variable = parse_variable(tokens)
            tokens.expect(";")
            return variable
        if token.kind == "name" and tokens.peek(1).text == ":":
            return self._label()
        return self._instruction()

    def _location(self) -> None:
        """ ".loc" FILE LINE COLUMN ["," "function_name" NAME "," "inlined_at" FILE LINE COLUMN]"""
        tokens = self._tokens
        tokens.expect(".loc")
        place = self._place()
        if tokens.accept(","):
            tokens.expect("function_name")
            tokens.take()
            if tokens.accept("+"):
                tokens.integer()
            tokens.expect(",")
            tokens.expect("inlined_at")
            caller = self._place()
            if _is_of_toolkit(place):
                place = caller
        if not (_is_of_toolkit(place) and self._source):
            self._source = place

    def _place(self) -> Place:
        """FILE LINE COLUMN"""
        file, line, _ = (self._tokens.integer() for _ in range(3))
        return Place(self._files.get(file, "?"), line)

    def _label(self) -> Label | BranchTargets:
        """NAME ":" [".branchtargets" NAME {"," NAME} ";"]"""
        tokens = self._tokens
        name = tokens.take().text
        tokens.expect(":")
        if not tokens.accept(".branchtargets"):
            return Label(name)
        labels = [tokens.expect_kind("name")]
        while tokens.accept(","):
            labels.append(tokens.expect_kind("name"))
        tokens.expect(";")
        return BranchTargets(name, tuple(labels))

    def _instruction(self) -> Instruction:
        """["@" ["!"] NAME] OPCODE {MODIFIER} [operand {"," operand}] ";" """
        tokens = self._tokens
        guard = None
        if tokens.accept("@"):
            negated = tokens.accept("!")
            guard = Name(tokens.expect_kind("name"), negated)
        written = Place(tokens.name, tokens.peek().line)
        opcode, modifiers = tokens.expect_kind("name"), []
        while tokens.peek().kind == "directive":
            modifiers.append(tokens.take().text[1:])
        operands = self._operands(";")
        place = self._source or written
        return Instruction(opcode, tuple(modifiers), operands, guard, place, written)

    def _operands(self, end: str) -> tuple[Operand, ...]:
        """[operand {"," operand}] end"""
        operands: list[Operand] = []
        while not self._tokens.accept(end):
            if operands:
                self._tokens.expect(",")
            operands.append(self._operand())
        return tuple(operands)

    def _operand(self) -> Operand:
        """simple ["|" simple] | "[" address "]" | vector | arguments"""
        tokens = self._tokens
        if closing := _CLOSING.get(tokens.peek().text):
            tokens.take()
            return Several(self._operands(closing))
        if tokens.accept("["):
            address = self._address()
            tokens.expect("]")
            return address
        first = self._simple()
        if tokens.accept("|"):
            return Several((first, self._simple()))
        if tokens.accept("+"):
            return Offset(first, tokens.integer())
        return first

    def _address(self) -> Offset:
        """simple ["+" INTEGER]"""
        base = self._simple()
        return Offset(base, self._tokens.integer() if self._tokens.accept("+") else 0)

    def _simple(self) -> Name | Literal:
        """["!"] NAME | NUMBER"""
        tokens = self._tokens
        if tokens.peek().kind == "number":
            return Literal(tokens.take().text)
        negated = tokens.accept("!")
        return Name(tokens.expect_kind("name"), negated)


def _is_of_toolkit(place: Place) -> bool:
    return _TOOLKIT.search(place.file) is not None
