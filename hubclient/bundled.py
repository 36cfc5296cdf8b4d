"""What ships with the package: the cards, an index of the public ones, and a mirror with the embedded model."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
# A wheel carries the data inside the package; a source checkout has it beside the package.
_ROOT = _PACKAGE / "_bundled" if (_PACKAGE / "_bundled").is_dir() else _PACKAGE.parent

CARDS = _ROOT / "cards"
INDEX = _ROOT / "index" / "spark-nlp.jsonl.xz"
MIRROR = _ROOT / "mirror"
