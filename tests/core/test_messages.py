"""Messages arrive whole, however the pipe cuts them, and damaged ones are refused."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messages import (
    ALLOWED_DTYPES,
    MAX_HEADER_BYTES,
    Message,
    MessageReader,
    encode_message,
)

MESSAGES = (
    Message("quit"),
    Message("segment", {"ticket": 3, "image": "/ü/a b.png", "seed": None, "td": 1.5}),
    Message(
        "stepped", {}, {name: np.arange(6).astype(name) for name in sorted(ALLOWED_DTYPES)}
    ),
    Message(
        "finished",
        {"n": 2**40},
        {"ids": np.zeros((0, 3), np.uint16), "x": np.ones((2, 3))[:, ::2].astype("float32")},
    ),
)


def assert_same(received, sent):
    assert (received.kind, received.fields) == (sent.kind, sent.fields)
    assert received.arrays.keys() == sent.arrays.keys()
    for name, array in sent.arrays.items():
        assert received.arrays[name].dtype == array.dtype
        assert np.array_equal(received.arrays[name], array)


@given(st.lists(st.integers(1, 900), max_size=8))
def test_messages_arrive_however_the_pipe_cuts_them(cuts):
    stream = b"".join(encode_message(message) for message in MESSAGES)
    ends = sorted(
        {min(sum(cuts[: i + 1]), len(stream)) for i in range(len(cuts))} | {len(stream)}
    )
    reader, received, start = MessageReader(), [], 0
    for end in ends:
        received += reader.feed(stream[start:end])
        start = end
    for got, sent in zip(received, MESSAGES, strict=True):
        assert_same(got, sent)


def test_arrays_that_arrive_can_be_written_to():
    (message,) = MessageReader().feed(encode_message(MESSAGES[2]))
    message.arrays["uint16"][0] = 9
    assert message.arrays["uint16"][0] == 9


def test_an_array_that_the_other_side_refuses_is_not_sent():
    with pytest.raises(ValueError, match="array 'x' is complex128"):
        encode_message(Message("a", {}, {"x": np.zeros(2, complex)}))


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"Traceback (most recent call last)", "stream is damaged"),
        ((MAX_HEADER_BYTES + 1).to_bytes(4), "stream is damaged"),
        (b"\0\0\0\2[]", "stream is damaged"),
        (b"\0\0\0\2xx", "stream is damaged"),
        (b"\0\0\0\2\xff\xff", "stream is damaged"),
    ],
)
def test_a_stream_that_is_no_message_is_refused(stream, reason):
    with pytest.raises(ValueError, match=reason):
        list(MessageReader().feed(stream))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"uint16", b"object"),
        (b"[6]", b"[7]"),
        (b"[6]", b"[5]"),
        (b"[6]", b"-66"),
        (b"6]", b"-6]"),
        (b'"arrays"', b'"errors"'),
        (zlib.compress(np.arange(6, dtype=np.uint16).tobytes(), 1)[:4], b"zlib"),
    ],
)
def test_an_array_that_is_not_as_described_is_refused(old, new):
    stream = encode_message(Message("a", {}, {"x": np.arange(6, dtype=np.uint16)}))
    (size,) = struct.unpack_from(">I", stream)
    changed = stream.replace(old, new)
    longer = struct.pack(">I", size + len(changed) - len(stream)) + changed[4:]
    with pytest.raises(ValueError, match=r"damaged|instead of|inflated"):
        list(MessageReader().feed(longer))
