"""What the threads of a transfer share."""

from __future__ import annotations

import threading
from pathlib import Path

from hubclient.transfer.board import Board
from hubclient.transfer.journal import Arrived
from hubclient.transfer.parts import Part
from hubclient.transfer.pieces import Piece, Pieces, Span

MIB = 1 << 20


def board_of(pieces: Pieces, unproved: list[Arrived] | None = None) -> Board:
    return Board(pieces, Part(Path("nowhere")), unproved or [])


def bring(board: Board) -> None:
    piece = board.take()
    assert piece
    piece.position = piece.end
    board.release(piece)


def test_streams_wait_for_the_hashing_when_it_is_far_behind() -> None:
    board = board_of(Pieces(256 * MIB, 4))
    for _ in range(3):
        bring(board)
    taken: list[Piece | None] = []
    stream = threading.Thread(target=lambda: taken.append(board.take()))
    stream.start()
    stream.join(0.1)
    assert stream.is_alive()
    assert board.has_held()
    assert board.await_range(16 * MIB, MIB) == Span(16 * MIB, 17 * MIB)
    stream.join(10)
    assert not stream.is_alive()
    assert [piece and piece.position for piece in taken] == [48 * MIB]


def test_what_lies_behind_a_gap_is_not_waited_for() -> None:
    """It cannot be hashed before the gap is filled."""
    there = Span(16 * MIB, 256 * MIB)
    board = board_of(Pieces(256 * MIB, 4, [there]), [Arrived(there, 0)])
    piece = board.take()
    assert piece
    assert (piece.position, piece.end) == (0, 4 * MIB)
    assert not board.has_held()


def test_streams_that_wait_for_the_hashing_end_with_the_transfer() -> None:
    board = board_of(Pieces(256 * MIB, 4))
    for _ in range(3):
        bring(board)
    taken: list[Piece | None] = []
    stream = threading.Thread(target=lambda: taken.append(board.take()))
    stream.start()
    board.stop()
    stream.join(10)
    assert taken == [None]
