"""Archives made from the embedded model's, each with something wrong."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from hubclient.archive.location import open_archive
from hubclient.archive.sparknlp import read_archive
from tests.archive.builders import map_feature, sequence_file
from tests.e2e.material import DEMO_ZIP

WEIGHTS = "bert_classification_tensorflow"
METADATA = "metadata/part-00000"
LABELS = "fields/labels"
VOCABULARY = "fields/vocabulary"
_PARTS = ("part-00000", "part-00001")


def read_members(source: Path | bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def rewritten(target: Path, changes: Mapping[str, bytes | None], source: Path = DEMO_ZIP) -> Path:
    """The archive with members replaced, added or (None) left out. A changed member loses the Hadoop checksum beside it."""
    members = read_members(source)
    for name, content in changes.items():
        folder, slash, base = name.rpartition("/")
        members.pop(f"{folder}{slash}.{base}.crc", None)
        members.pop(name, None)
        if content is not None:
            members[name] = content
    target.write_bytes(zip_of(members))
    return target


def truncated(target: Path, keep: float) -> Path:
    content = DEMO_ZIP.read_bytes()
    target.write_bytes(content[: int(len(content) * keep)])
    return target


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :]


def bit_flip_in_the_zip(target: Path) -> Path:
    """In the compressed bytes of the weights, by far the largest member."""
    content = DEMO_ZIP.read_bytes()
    target.write_bytes(flipped(content, len(content) // 2))
    return target


def bit_flip_in_the_tensors(target: Path, member: str) -> Path:
    """One bit of the tensor bundle, with every zip made anew, so that their checksums are right."""
    inner = read_members(read_members(DEMO_ZIP)[WEIGHTS])
    (name,) = (name for name in inner if name.endswith(member))
    inner[name] = flipped(inner[name], len(inner[name]) // 2)
    return rewritten(target, {WEIGHTS: zip_of(inner)})


def other_metadata(target: Path, **values: object) -> Path:
    metadata = json.loads(read_members(DEMO_ZIP)[METADATA])
    return rewritten(target, {METADATA: json.dumps({**metadata, **values}).encode()})


def other_default_activation(target: Path, activation: str) -> Path:
    metadata = json.loads(read_members(DEMO_ZIP)[METADATA])
    return other_metadata(target, paramMap={**metadata["paramMap"], "activation": activation})


def with_feature(target: Path, folder: str, part: bytes) -> Path:
    """A feature replaced by one part file."""
    return rewritten(target, {f"{folder}/{_PARTS[0]}": part, f"{folder}/{_PARTS[1]}": None})


def with_labels(target: Path, *labels: tuple[str, int]) -> Path:
    return with_feature(target, LABELS, map_feature(labels))


def with_piece(target: Path, piece: str, number: int) -> Path:
    """A vocabulary with one more piece."""
    with open_archive(DEMO_ZIP) as members:
        vocabulary = read_archive(members).vocabulary
    assert vocabulary is not None
    return with_feature(target, VOCABULARY, map_feature([*vocabulary.items(), (piece, number)]))


def pieces() -> int:
    with open_archive(DEMO_ZIP) as members:
        return len(read_archive(members).vocabulary or ())


def truncated_java(target: Path) -> Path:
    """The last record ends in the middle of an object, and the SequenceFile around it is whole."""
    whole = map_feature([("neg", 0), ("pos", 1)])
    record = whole[whole.index(b"\xac\xed\x00\x05") :]
    return with_feature(target, LABELS, sequence_file([record[: len(record) * 2 // 3]]))


def java_of_another_class(target: Path) -> Path:
    """An object that a JVM would have made, and run the code of."""
    name = b"java.util.PriorityQueue"
    stream = b"\xac\xed\x00\x05sr" + struct.pack(">H", len(name)) + name + bytes(8) + b"\x03\x00\x00xp"
    return with_feature(target, LABELS, sequence_file([stream]))


def java_that_claims_too_much(target: Path) -> Path:
    """An array of two thousand million pairs, in a few bytes."""
    stream = map_feature([("neg", 0)])
    start = stream.index(b"\xac\xed\x00\x05")
    head = stream[start : stream.index(b"xp", start) + 2]
    return with_feature(target, LABELS, sequence_file([head + b"\x7f\xff\xff\xff"]))
