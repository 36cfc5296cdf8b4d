"""Pieces: every byte is brought, whatever order they come in, and whoever gives up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.transfer.pieces import SMALLEST_SPLIT, Piece, Pieces, Span

MIB = 1 << 20


def spans(piece: Piece | None) -> tuple[int, int]:
    assert piece is not None
    return piece.position, piece.end


def test_pieces_are_handed_out_from_the_front_and_grow_shorter() -> None:
    pieces = Pieces(52 * MIB, 2)
    assert [spans(pieces.take()) for _ in range(3)] == [(0, 16 * MIB), (16 * MIB, 32 * MIB), (32 * MIB, 42 * MIB)]
    assert (pieces.arrived, pieces.prefix, pieces.waiting, pieces.idle) == (0, 0, True, False)
    lengths = []
    while piece := pieces.take():
        lengths.append((piece.end - piece.position) // MIB)
    assert lengths == [5, 4, 1]


@pytest.mark.parametrize(("size", "streams"), [(0, 1), (16 * MIB, 1), (16 * MIB + 1, 4), (40 * MIB, 10), (100 * MIB, 16), (1 << 40, 16)])
def test_how_many_streams_have_something_to_do(size: int, streams: int) -> None:
    assert Pieces(size, 16).most_streams == streams


def test_what_is_small_comes_in_one_piece() -> None:
    pieces = Pieces(16 * MIB, 16)
    assert spans(pieces.take()) == (0, 16 * MIB)
    assert pieces.take() is None


def test_what_is_there_is_not_asked_for() -> None:
    pieces = Pieces(20 * MIB, 16, [Span(0, 7), Span(12, 20)])
    assert (pieces.arrived, pieces.prefix) == (15, 7)
    assert [spans(pieces.take()) for _ in range(2)] == [(7, 12), (20, 20 + 4 * MIB)]


def test_nothing_is_missing_from_an_empty_file() -> None:
    pieces = Pieces(0, 10)
    assert (pieces.take(), pieces.prefix, pieces.idle) == (None, 0, True)


def test_the_prefix_grows_with_what_arrives_in_front() -> None:
    pieces = Pieces(20 * MIB, 16, [Span(12 * MIB, 20 * MIB)])
    first, second, third = pieces.take(), pieces.take(), pieces.take()
    assert first
    assert second
    assert third
    second.position = 8 * MIB
    pieces.release(second)
    assert pieces.prefix == 0
    first.position = 4
    assert (pieces.prefix, pieces.arrived) == (4, 12 * MIB + 4)
    first.position = 4 * MIB
    assert pieces.prefix == 8 * MIB
    pieces.release(first)
    third.position = 12 * MIB
    assert (pieces.prefix, pieces.arrived) == (20 * MIB, 20 * MIB)


def test_what_is_given_back_is_asked_for_again_first() -> None:
    pieces = Pieces(20 * MIB, 16)
    first = pieces.take()
    pieces.take()
    assert first
    first.position = 3
    pieces.release(first)
    assert spans(pieces.take()) == (3, 4 * MIB)


def test_the_largest_remainder_is_split() -> None:
    pieces = Pieces(32 * MIB, 2)
    first, second = pieces.take(), pieces.take()
    assert first
    assert second
    assert spans(first) == (0, 16 * MIB)
    second.position += 5 * MIB
    half = pieces.split()
    assert spans(half) == (8 * MIB, 16 * MIB)
    assert spans(first) == (0, 8 * MIB)
    assert half
    first.position, half.position, second.position = 8 * MIB - 1, 16 * MIB - 1, second.end - 2 * SMALLEST_SPLIT + 1
    assert pieces.split() is None


def test_the_only_stream_may_take_everything() -> None:
    pieces = Pieces(64 * MIB, 16, [Span(50, 60)])
    piece = pieces.take()
    assert piece
    assert pieces.is_alone(piece)
    assert pieces.take()
    assert not pieces.is_alone(piece)
    pieces = Pieces(64 * MIB, 16, [Span(50, 60)])
    piece = pieces.take()
    assert piece
    pieces.take_rest(piece)
    assert (spans(piece), pieces.take(), pieces.split(), pieces.divisible) == ((0, 64 * MIB), None, None, False)
    piece.position = 70
    pieces.release(piece)
    # One at a time, from now on.
    assert pieces.take()
    assert pieces.take() is None


def test_what_is_lost_is_asked_for_again() -> None:
    pieces = Pieces(30, 10, [Span(0, 30)])
    assert pieces.prefix == 30
    pieces.lose(Span(10, 15))
    assert (pieces.prefix, pieces.arrived) == (10, 25)
    assert spans(pieces.take()) == (10, 15)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_happens_every_byte_comes_once(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 40)) * (SMALLEST_SPLIT // 2) + data.draw(st.integers(0, 3))
    pieces = Pieces(size, data.draw(st.integers(1, 16)))
    came: list[tuple[int, int]] = []
    flying: list[Piece] = []
    for _ in range(500):
        if pieces.idle and not pieces.waiting:
            break
        step = data.draw(st.sampled_from(["take", "split", "receive", "give back"]))
        if step in ("take", "split"):
            piece = pieces.take() if step == "take" else pieces.split()
            flying += [piece] if piece else []
        elif flying:
            piece = data.draw(st.sampled_from(flying))
            if step == "receive":
                count = min(data.draw(st.sampled_from([1, SMALLEST_SPLIT // 2, SMALLEST_SPLIT * 4])), piece.end - piece.position)
                came += [(piece.position, piece.position + count)] if count else []
                piece.position += count
            if step == "give back" or piece.position == piece.end:
                flying.remove(piece)
                pieces.release(piece)
        assert pieces.arrived == sum(end - start for start, end in came)
    while piece := pieces.take():
        flying.append(piece)
    came += [(piece.position, piece.end) for piece in flying if piece.position < piece.end]
    came.sort()
    assert [start for start, _ in came] + [size] == [0] + [end for _, end in came]
