"""Frames arrive as they were sent; anything else is refused."""

import io

import pytest

from gpuqueue.listener.frames import ERRORS, SIZES, BrokenFrame, Frame, read_frame, write_frame


def sent(*frames: Frame) -> io.BytesIO:
    stream = io.BytesIO()
    for frame in frames:
        write_frame(stream, frame)
    stream.seek(0)
    return stream


def test_frames_arrive_in_order_with_their_bytes() -> None:
    frames = [Frame("a", {"x": [1, "ä\n"]}, bytes(range(256))), Frame("b", {})]
    stream = sent(*frames)
    assert [read_frame(stream), read_frame(stream), read_frame(stream)] == [*frames, None]


@pytest.mark.parametrize("size", [1, 11, 13, 20, 30])
def test_a_frame_that_breaks_off_is_an_error(size: int) -> None:
    whole = sent(Frame("result", {"mime_type": "image/png"}, b"data")).getvalue()
    with pytest.raises(BrokenFrame, match="middle"):
        read_frame(io.BytesIO(whole[:size]))


def test_a_frame_beyond_the_bounds_is_refused_before_it_is_read() -> None:
    with pytest.raises(BrokenFrame, match="too large"):
        read_frame(io.BytesIO(SIZES.pack(10, 1 << 60)))


@pytest.mark.parametrize("header", [b"nonsense", b"[]", b"{}", b"null", b"[" * 100_000])
def test_a_header_that_is_no_object_with_a_kind_is_an_error(header: bytes) -> None:
    with pytest.raises(BrokenFrame, match="not a JSON object"):
        read_frame(io.BytesIO(SIZES.pack(len(header), 0) + header))


def test_an_error_keeps_the_most_exact_class_that_crosses() -> None:
    kinds = list(ERRORS.values())
    for kind in kinds:
        assert next(known for known in kinds if issubclass(kind, known)) is kind
