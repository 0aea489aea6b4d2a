"""Texts that are nearly PTX are translated or refused, never taken half."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from .cases import CASES, module
from .compilers import nvcc_ptx
from .errors import PtxError
from .opcodes.table import known_opcodes
from .parser import parse
from .translate import translate

KERNELS = Path(__file__).parent / "kernels"
KERNELS_OF_TESTS = ("features.cu", "mistakes.cu")
TEXT = module(CASES[::7])
WORDS = re.findall(r"%?[\w$]+|\.[\w:]+|\S|\s+", TEXT)


def damaged(seed: int) -> str:
    """The text with a few of its words taken out, doubled, or put in another's place."""
    dice, words = random.Random(seed), list(WORDS)
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(words))
        words[place] = dice.choice(["", words[place] * 2, dice.choice(words), "{", "}", ";", "0f1"])
    return "".join(words)


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_text_is_translated_or_refused_with_its_line(seed: int) -> None:
    try:
        source = translate(parse(damaged(seed), "damaged.ptx"))
    except PtxError as refused:
        source = str(refused)
    assert re.match(r'damaged\.ptx:\d+: |#include "ptx_runtime\.h"', source)


def test_every_instruction_that_the_runner_knows_is_tried() -> None:
    tried = {word for case in CASES for word in re.findall(r"\b[a-z]\w+\b", case.code)}
    compiled = "".join(nvcc_ptx(KERNELS / name, 90, ["-w"]) for name in KERNELS_OF_TESTS)
    tried |= set(re.findall(r"\b[a-z]\w+\b", compiled))
    assert known_opcodes() <= tried
