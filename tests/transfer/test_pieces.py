"""Pieces: every byte is brought, whatever order they come in, and whoever gives up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.transfer.pieces import SMALLEST_SPLIT, Piece, Pieces, Span

MIB = 1 << 20


def spans(piece: Piece | None) -> tuple[int, int]:
    assert piece is not None
    return piece.position, piece.end


def test_pieces_are_handed_out_from_the_front() -> None:
    pieces = Pieces(25, 10)
    assert [spans(pieces.take()) for _ in range(3)] == [(0, 10), (10, 20), (20, 25)]
    assert pieces.take() is None
    assert (pieces.arrived, pieces.prefix, pieces.waiting, pieces.idle) == (0, 0, False, False)


def test_what_is_there_is_not_asked_for() -> None:
    pieces = Pieces(30, 10, [Span(0, 7), Span(12, 20)])
    assert (pieces.arrived, pieces.prefix) == (15, 7)
    assert [spans(pieces.take()) for _ in range(2)] == [(7, 12), (20, 30)]


def test_nothing_is_missing_from_an_empty_file() -> None:
    pieces = Pieces(0, 10)
    assert (pieces.take(), pieces.prefix, pieces.idle) == (None, 0, True)


def test_the_prefix_grows_with_what_arrives_in_front() -> None:
    pieces = Pieces(30, 10)
    first, second, third = pieces.take(), pieces.take(), pieces.take()
    assert first
    assert second
    assert third
    second.position = 20
    pieces.release(second)
    assert pieces.prefix == 0
    first.position = 4
    assert (pieces.prefix, pieces.arrived) == (4, 14)
    first.position = 10
    assert pieces.prefix == 20
    pieces.release(first)
    third.position = 30
    assert (pieces.prefix, pieces.arrived) == (30, 30)


def test_what_is_given_back_is_asked_for_again_first() -> None:
    pieces = Pieces(30, 10)
    first = pieces.take()
    pieces.take()
    assert first
    first.position = 3
    pieces.release(first)
    assert spans(pieces.take()) == (3, 10)


def test_the_largest_remainder_is_split() -> None:
    pieces = Pieces(16 * MIB, 8 * MIB)
    first, second = pieces.take(), pieces.take()
    assert first
    assert second
    second.position += 6 * MIB
    half = pieces.split()
    assert spans(half) == (4 * MIB, 8 * MIB)
    assert spans(first) == (0, 4 * MIB)
    assert half
    first.position, half.position = 4 * MIB - 1, 8 * MIB - 1
    second.position = 16 * MIB - 2 * SMALLEST_SPLIT + 1
    assert pieces.split() is None


def test_the_only_stream_may_take_everything() -> None:
    pieces = Pieces(100, 10, [Span(50, 60)])
    piece = pieces.take()
    assert piece
    pieces.release(piece)
    piece = pieces.take()
    assert piece
    assert pieces.is_alone(piece)
    pieces.take_rest(piece)
    assert (spans(piece), pieces.take(), pieces.divisible) == ((0, 100), None, False)
    piece.position = 70
    pieces.release(piece)
    assert spans(pieces.take()) == (70, 80)
    # One at a time, from now on.
    assert pieces.take() is None


def test_what_is_lost_is_asked_for_again() -> None:
    pieces = Pieces(30, 10, [Span(0, 30)])
    assert pieces.prefix == 30
    pieces.lose(Span(10, 15))
    assert (pieces.prefix, pieces.arrived) == (10, 25)
    assert spans(pieces.take()) == (10, 15)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_happens_every_byte_comes_once(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 40)) * (SMALLEST_SPLIT // 2) + data.draw(st.integers(0, 3))
    pieces = Pieces(size, 4 * SMALLEST_SPLIT)
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
