"""Hostile scene files without end: ``python -m tests.scene.fuzz [--seconds 600] [--seed 1]``.

Every scene of the tests and the examples is cut off, has bits turned, words moved, pieces of other
scenes put in, brackets nested and numbers driven to extremes; others are made from a grammar whose
counts and indices may lie. A reader may answer with a scene or with SceneError, soon and in bounded
memory; anything else ends the run, and the file that did it is kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ROOT / "tests" / "data" / "mi" / "parts"
#: Of the processor, for a file of at most some 100 KB.
MOST_SECONDS = 20.0
MOST_MEMORY = 3 << 30
NUMBERS = (
    *(b"0", b"-1", b"1e999", b"-1e308", b"1e-320", b"99999999999999999999", b"2147483648"),
    *(b"-2147483649", b"1.5.2", b"1e", b"nan", b"268435456", b".5", b"1d3", b"9" * 400),
)
MARKS = (b"(", b"[", b"{", b'"', b"`", b"'", b"$include ", b"= ", b"hole ", b"#", b"\0", b"group ")


def corpus() -> list[bytes]:
    """All scenes, with what they include put in."""
    folders = ("tests/data/mi/valid", "tests/data/mi/invalid", "examples/scenes")
    texts = [
        path.read_bytes() for folder in folders for path in sorted((ROOT / folder).glob("*.mi"))
    ]
    for part in PARTS.glob("*.mi"):
        name, body = f'$include "../parts/{part.name}"'.encode(), part.read_bytes()
        texts = [text.replace(name, body) for text in texts]
    return [text[:100_000] for text in texts]


def cut_off(rng: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """At any byte."""
    return text[: rng.randrange(len(text) + 1)]


def turn_bits(rng: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Some bits anywhere."""
    data = bytearray(text)
    for _i in range(rng.randint(1, 8) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def move_words(rng: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Two words change places, one is doubled, one goes."""
    found = text.split()
    for _i in range(rng.randint(1, 4) if found else 0):
        a, b = rng.randrange(len(found)), rng.randrange(len(found))
        found[a], found[b] = found[b], found[a]
        found.insert(a, found[b])
        del found[rng.randrange(len(found))]
    return b" ".join(found)


def put_in(rng: random.Random, text: bytes, texts: list[bytes]) -> bytes:
    """A piece of another scene."""
    other = rng.choice(texts)
    start, at = rng.randrange(len(other) + 1), rng.randrange(len(text) + 1)
    return text[:at] + other[start : start + rng.randrange(1, 400)] + text[at:]


def nest(rng: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """A mark some thousand times."""
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(MARKS) * rng.choice((1, 70, 5000)) + text[at:]


def drive_numbers(rng: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """Some numbers become extreme."""
    found = text.split(b" ")
    places = [i for i, word in enumerate(found) if word.strip().replace(b".", b"").isdigit()]
    for i in rng.sample(places, min(len(places), rng.randint(1, 3))):
        found[i] = rng.choice(NUMBERS)
    return b" ".join(found)


def made_up(rng: random.Random, _: bytes, __: list[bytes]) -> bytes:
    """A scene of the mesh grammar."""
    bodies = b"".join(
        b'object "o%d" %s\n%s\nend object\n'
        % (i, rng.choice((b"", b"visible on", b"tagged on")), body)
        for i, body in enumerate(
            rng.choice((trilist, group))(rng) for _i in range(rng.randint(1, 3))
        )
    )
    shown = b'instance "i" "o0" end instance instgroup "g" "c" "i" end instgroup\n'
    camera = b'camera "v" end camera instance "c" "v" end instance options "o" end options\n'
    return camera + bodies + shown + b'render "g" "c" "o"\n'


def count(rng: random.Random, true: int) -> int:
    """Mostly the truth."""
    return true if rng.random() < 0.85 else rng.choice((0, true + 1, 1 << 20, (1 << 28), 1 << 40))


def index(rng: random.Random, limit: int) -> bytes:
    """Mostly one that exists, mostly spelt plainly."""
    if rng.random() < 0.02:
        return rng.choice(NUMBERS)
    value = rng.randrange(max(1, limit)) if rng.random() < 0.99 else limit
    return rng.choice((b"%d", b"%d", b"%d", b"+%d", b"00%d", b"%d # x\n")) % value


def number(rng: random.Random) -> bytes:
    """A coordinate in any spelling."""
    if rng.random() < 0.02:
        return rng.choice(NUMBERS)
    value = rng.choice((rng.uniform(-9, 9), rng.gauss(0, 1e-9), float(rng.randint(-3, 3))))
    return rng.choice(("{:.6g}", "{!r}", "{:.3e}", "{:.30f}", "{:+.2f}")).format(value).encode()


def trilist(rng: random.Random) -> bytes:
    """Text or binary, with names or labels or neither."""
    n, t = rng.randint(0, 12), rng.randint(0, 12)
    fields, size = rng.choice(((b"", 3), (b"n", 6), (b"n t 2", 8), (b"t 3 m 2 u 1", 13)))
    head = b"trilist vertex %d p %s triangle %d " % (count(rng, n), fields, count(rng, t))
    if rng.random() < 0.3:
        order = rng.choice("<>")
        floats = struct.pack(f"{order}{n * size}f", *(rng.gauss(0, 9) for _ in range(n * size)))
        corners = struct.pack(f"{order}{3 * t}I", *(rng.randrange(n or 1) for _ in range(3 * t)))
        return head + b"scalar `" + floats + b"` integer `" + corners + b"` end trilist"
    name = rng.choice((b"", b'"m" ', b"%d " % rng.randint(0, 9), b"m "))
    rows = [
        (name if rng.random() < 0.5 else b"") + b" ".join(index(rng, n) for _ in range(3))
        for _i in range(t)
    ]
    numbers = b" ".join(number(rng) for _ in range(n * size))
    return head + b"[ " + numbers + b" ] [ " + b"\n".join(rows) + b" ] end trilist"


def group(rng: random.Random) -> bytes:
    """Vectors in text or binary, vertices with fields, polygons, strips, fans and holes."""
    n = rng.randint(0, 12)
    vectors = [b" ".join(number(rng) for _ in range(3)) for _i in range(n)]
    if rng.random() < 0.2:
        vectors = [b"`" + struct.pack(">3f", *(rng.gauss(0, 3) for _ in range(3))) + b"`"] * n
    fields = rng.choice((b"", b"n %s", b"t %s", b"m %s", b"d %s 0", b"u %s cusp"))
    vertices = [
        b"v " + index(rng, n) + b" " + (fields % index(rng, n) if fields else b"")
        for _i in range(n)
    ]
    rows = []
    for _i in range(rng.randint(0, 12)):
        word = rng.choice((b"p", b"p", b"c", b"cp", b"strip", b"fan"))
        name = rng.choice((b"", b"", b' "m"', b" 3"))
        loop = b" ".join(index(rng, n) for _ in range(rng.randint(2, 9)))
        hole = b" hole 0 1 2" if rng.random() < 0.1 else b""
        rows.append(word + name + b" " + loop + hole)
    return b"group\n" + b"\n".join([*vectors, *vertices, *rows]) + b"\nend group"


MUTATIONS: tuple[Callable[[random.Random, bytes, list[bytes]], bytes], ...] = (
    cut_off,
    turn_bits,
    move_words,
    put_in,
    nest,
    drive_numbers,
    made_up,
    made_up,
)


class Failed(Exception):
    """A file was answered with something else than a scene or SceneError."""


def run(runs: int, seconds: float, seed: int, keep: Path) -> tuple[int, int]:
    """Read hostile files; return how many, and how many of them were scenes. Raises Failed."""
    rng, texts, scenes, done = random.Random(seed), corpus(), 0, 0
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while done < runs and time.monotonic() < end:
            text = rng.choice(texts)
            for mutate in rng.sample(MUTATIONS, rng.randint(1, 2)):
                text = mutate(rng, text, texts)
            path = Path(folder) / "s.mi"
            path.unlink(missing_ok=True)  # a map of the last one may still be there
            path.write_bytes(text)
            try:
                scenes += read(path)
            except Exception as error:
                keep.write_bytes(text)
                raise Failed(f"run {done} of seed {seed}: {error!r}; the file is {keep}") from error
            done += 1
    return done, scenes


def read(path: Path) -> bool:
    """Whether the file is a scene. Raises what should not come out."""
    from gpuqueue.device.native import kernels, layouts
    from gpuqueue.errors import InvalidJob, SceneError
    from gpuqueue.scene import load_scene, pack, summarise

    start = time.process_time()
    try:
        scene = load_scene(path, path.parent, max_bytes=1 << 24, max_memory_bytes=1 << 28)
        summarise(scene)
        pack(scene, layouts(), kernels().shaders(), 8, 8)
        found = True
    except (SceneError, InvalidJob):
        found = False
    if time.process_time() - start > MOST_SECONDS:
        raise TimeoutError(f"{time.process_time() - start:.0f} s")
    return found


def use_module(path: Path) -> None:
    """Make the module at `path` the compiled reader of this process."""
    spec = importlib.util.spec_from_file_location("gpuqueue._scene_reader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpuqueue._scene_reader"] = module
    spec.loader.exec_module(module)
    import gpuqueue

    gpuqueue._scene_reader = module  # type: ignore[attr-defined]  # as an import would do
    from gpuqueue.scene import tokens

    assert tokens._scene_reader is module


def main() -> int:
    """Run and tell how many files were read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=1 << 62)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failure.mi"))
    parser.add_argument("--module", type=Path, help="another build of gpuqueue._scene_reader")
    asked = parser.parse_args()
    if asked.module:
        use_module(asked.module)
    else:  # sanitizers map far more than they use
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    try:
        done, scenes = run(asked.runs, asked.seconds, asked.seed, asked.keep)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    print(f"{done} files, {scenes} of them scenes; seed {asked.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
