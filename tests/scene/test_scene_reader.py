"""The compiled reader: the nearest numbers, and an end before whatever is not plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuqueue import _scene_reader as reader

quietly = settings(deadline=None, max_examples=200)
LONG = b"1.5 " * (3 << 20)


def doubles(text: bytes) -> np.ndarray:
    values = np.empty(text.count(b" ") + 1)
    assert reader.fill(text, 0, values) == (len(values), len(text))
    return values


SPELLINGS = ["{!r}", "{:.3f}", "{:.17g}", "{:.0e}", "{:.40f}", "{:+.9e}", "{:E}"]


@quietly
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(SPELLINGS)),
        min_size=1,
    )
)
def test_a_number_is_the_nearest_double_as_python_reads_it(
    numbers: list[tuple[float, str]],
) -> None:
    words = [spelling.format(value) for value, spelling in numbers]
    expected = np.array([float(word) for word in words])
    usable = np.isfinite(expected)  # rounded up beyond the last double
    words = [word for word, good in zip(words, usable, strict=True) if good] or ["0"]
    read = doubles(" ".join(words).encode())
    assert read.tobytes() == np.array([float(word) for word in words]).tobytes()


@pytest.mark.parametrize(
    "word",
    [
        *("1.", ".5", "-0", "+3", "007", "1d3", "2.5D-2", "0e999", "-0e-99999999999999999999"),
        *("1e-400", "-1e-500", "5e-324", "2e-324", "2.5e-324", "1.7976931348623157e308"),
        *("9007199254740993", "9007199254740992.5", "9007199254740991e22", "1e23", "8.5e22"),
        *("0" * 400 + "1e-5", "0." + "0" * 400 + "1e400", "1" + "0" * 400 + "e-400"),
        *("123456789012345678901234567890", "2.2250738585072011e-308", "1.00000005960464477"),
    ],
)
def test_numbers_at_the_edges_are_the_nearest_doubles(word: str) -> None:
    expected = np.array([float(word.lower().replace("d", "e"))])
    read = doubles(word.encode())
    assert read.tobytes() == expected.tobytes()


@quietly
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_float_is_rounded_from_the_double(numbers: list[float]) -> None:
    read, _ = reader.floats(" ".join(map(repr, numbers)).encode(), 0)
    with np.errstate(over="ignore"):
        assert read.tobytes() == np.array(numbers).astype(np.float32).tobytes()


@pytest.mark.parametrize(
    "word",
    [
        *(b"1e309", b"-1e400", b"nan", b"inf", b"1_0", b"1.2.3", b"1.5e", b"0x10", b"5n"),
        *(b".", b"+", b"-.", b"1e+", b"12end", b"9" * 30 + b"e" + b"9" * 30, b"--1", b"", b"\xe4"),
    ],
)
def test_a_run_ends_before_what_is_no_finite_number(word: bytes) -> None:
    values, end = reader.floats(b"1 2.5\n# 3\n-4\t" + word + b" 7", 0)
    expected = [1, 2.5, -4, 7] if word == b"" else [1, 2.5, -4]
    assert values.tolist() == expected
    assert end == (15 if word == b"" else 13)


def test_integers_have_32_bits_and_no_point() -> None:
    for last in (b"2147483648", b"-2147483649", b"6.0", b"1e3", b"9" * 40):
        values, end = reader.integers(b"-2147483648 +2147483647 " + last, 0)
        assert values.tolist() == [-(2**31), 2**31 - 1]
        assert end == 24


def test_an_array_is_filled_and_no_more() -> None:
    values = np.zeros(3, np.int32)
    assert reader.fill(b"[1 2 3 4", 1, values[:2]) == (2, 4)
    assert values.tolist() == [1, 2, 0]
    assert reader.fill(b"1 2", 3, values) == (0, 3)
    assert reader.fill(b"1 2", 99, values) == (0, 3)


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_reading_reports_where_it_is_and_ends_by_what_is_raised(share: float) -> None:
    told: list[int] = []

    def report(offset: int) -> None:
        told.append(offset)
        if offset > share * len(LONG):
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        reader.floats(LONG, 0, report)
    assert told == sorted(told)
    assert told[-1] < share * len(LONG) + (4 << 20) + 8


@quietly
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 9), st.integers(-1, 9))))
def test_vertices_are_read_as_they_are_written(rows: list[tuple[int, int, int]]) -> None:
    text = "".join(
        f"v {v}" + f" n {n}" * (n >= 0) + f"\tt {t} {t}" * (t >= 0) + " # x\n" for v, n, t in rows
    )
    read, end = reader.vertices((text + "p 0 1 2").encode(), 0, 10)
    assert read.tolist() == [list(row) for row in rows]
    assert end == len(text)


@pytest.mark.parametrize(
    "row",
    ["v 10", "v -1", "v 1.5", "v 1 n 10", "v 1 cusp", "v 1 level 2", "v", "v 1 $include", "v 1 2"],
)
def test_vertices_end_before_a_row_that_is_not_plain(row: str) -> None:
    text = "v 1 m 2 u 3 d 4 5 n 6\n"
    read, end = reader.vertices(f"{text}{row} v 2 p".encode(), 0, 10)
    assert read.tolist() == [[1, 6, -1]]
    assert end == len(text)


@quietly
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p", "c", "cp"]),
            st.sampled_from(["", '"a"', '"b"', '""']),
            st.lists(st.integers(0, 20), min_size=3, max_size=7),
        )
    )
)
def test_polygons_are_read_as_they_are_written(rows: list[tuple[str, str, list[int]]]) -> None:
    text = "".join(f"{kind}{name} {' '.join(map(str, loop))}\n" for kind, name, loop in rows)
    corners, lengths, slots, materials, end = reader.polygons(
        (text + "end group").encode(), 0, 21, 7, False
    )
    loops = np.split(corners, np.cumsum(lengths)[:-1]) if rows else []
    assert [loop.tolist() for loop in loops] == [loop for _, _, loop in rows]
    current: bytes | None = None
    for slot, (_, name, _) in zip(slots, rows, strict=True):
        current = name.strip('"').encode() if name else current
        assert materials[slot] == current
    assert end == len(text)


@pytest.mark.parametrize(
    "row",
    [
        *("p 0 1", "p 0 1 9", "p 0 1 -2", "p 0 1 2.5", "p 0 1 2 hole 3 4 5", "strip 0 1 2"),
        *('p "a\\"b" 0 1 2', 'p "open 0 1 2', "p 0 1 2 $include", "p 0 1 2 3 4 5 6", "q 0 1 2"),
    ],
)
def test_polygons_end_before_a_row_that_is_not_plain(row: str) -> None:
    text = 'p "m" 0 1 2 3\n'
    corners, lengths, _, materials, end = reader.polygons(
        f"{text}{row} p 0 1 2 end".encode(), 0, 9, 6, False
    )
    assert (corners.tolist(), lengths.tolist(), materials[0]) == ([0, 1, 2, 3], [4], b"m")
    assert end == len(text)


def test_a_row_at_the_end_of_a_text_may_go_on_elsewhere() -> None:
    assert reader.polygons(b"p 0 1 2", 0, 9, 6, False)[4] == 0
    assert reader.vertices(b"v 1 ", 0, 9)[1] == 0


def test_labels_of_tagged_rows_are_slots() -> None:
    rows = reader.polygons(b"p 7 0 1 2 p 3 0 1 2 p 7 2 1 0 end", 0, 9, 6, True)
    assert (rows[2].tolist(), rows[3]) == ([0, 1, 0], [7, 3])
    corners, slots = np.empty((3, 3), np.int32), np.empty(3, np.int32)
    read = reader.triangles(b"5 0 1 2 5 2 1 0 4 0 0 9", 0, corners, slots, 9, True)
    assert read == (2, [5, 4], 16)


def test_names_in_trilists_hold_for_the_triangles_after_them() -> None:
    corners, slots = np.empty((4, 3), np.int32), np.empty(4, np.int32)
    text = b'0 1 2 "a" 2 1 0 b 0 0 1 "a" 1 1 1 ]'
    assert reader.triangles(text, 0, corners, slots, 3, False) == (4, [None, b"a", b"b"], 33)
    assert slots.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("order", ["<", ">"])
def test_binary_data_is_read_in_its_byte_order(order: str) -> None:
    values = np.array([0, -1.5, 3e7, 1e-3, 0], "f4")
    read = np.empty(5, np.float32)
    reader.binary_floats(b"xx" + values.astype(f"{order}f4").tobytes(), 2, read)
    assert read.tolist() == values.tolist()
    indices = np.empty(3, np.uint32)
    data = np.array([0, 700, 3], f"{order}u4").tobytes()
    reader.binary_indices(data, 0, 701, indices)
    assert indices.tolist() == [0, 700, 3]


def test_binary_vectors_of_a_group_are_one_run() -> None:
    vectors = np.arange(9, dtype=">f4").reshape(3, 3)
    text = b"\n".join(b"`" + vector.tobytes() + b"`" for vector in vectors)
    read, end = reader.binary_vectors(text + b" `short` v 0", 0)
    assert read.tolist() == vectors.tolist()
    assert end == len(text) + 1


def test_wrong_arguments_are_refused() -> None:
    positions, triangles = np.zeros((3, 3), np.float32), np.zeros((2, 3), np.int32)
    for corners, lengths in (
        ([0, 1, 2, 3], [4]),
        ([0, 1, 2, -1], [4]),
        ([0, 1, 2], [4]),
        ([0, 1], [2]),
    ):
        with pytest.raises(ValueError, match="corner"):
            reader.fans(
                positions, np.array(corners, np.int32), np.array(lengths, np.int32), triangles
            )
    with pytest.raises(ValueError, match="beyond the text"):
        reader.binary_floats(b"12345678", 5, np.empty(1, np.float32))
    with pytest.raises(TypeError):
        reader.fill(b"1", 0, np.empty(1, np.int64))
