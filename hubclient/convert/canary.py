"""Inputs on which two graphs of one model must agree, and one graph with itself.

Strategy: no text is needed: ids spread over the whole vocabulary, token types of both parts of a pair, one long text by itself, and shorter
ones of several lengths in a padded batch. How long: where each token's place has a row in a table, short texts show all that a graph
does with it; where distances count, only long ones do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.errors import ModelError, UnsupportedModel
from hubclient.padding import Padding

if TYPE_CHECKING:
    import numpy as np

    from hubclient.models.family import Family

    Logits = Callable[[Mapping[str, np.ndarray]], np.ndarray]

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LENGTHS = (1, 5, 12, 23)
_LONGEST, _LONGEST_OF_PLACES = 640, 40
_TYPES = 2  # of models whose token types have no table: they are only told apart
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Bounds:
    """What a model can be asked: rows of its embedding tables, tokens of the longest text to try, how short ones are filled up."""

    vocabulary: int
    longest: int
    types: int
    padding: Padding

    @classmethod
    def of(cls, family: Family, config: Mapping[str, Any], padding: Padding) -> Bounds:
        longest = min(family.positions(config) or _LONGEST, _LONGEST if family.relative else _LONGEST_OF_PLACES)
        return cls(config["vocab_size"], longest, config.get("type_vocab_size", _TYPES), padding)


class Runner:
    """A model in ONNX Runtime; `label` names it in errors. Raises ModelError where it cannot be opened or run."""

    def __init__(self, path: Path, label: str) -> None:
        from hubclient.engines.onnx import FAILURES, open_session

        self._label = label
        self._failures = FAILURES
        self._session = open_session(path, label)

    @property
    def inputs(self) -> set[str]:
        return {item.name for item in self._session.get_inputs()}

    def logits(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        """`feeds` are int64 arrays by input name; what the model does not ask for is left out."""
        types = {item.name: "int32" if "int32" in item.type else "int64" for item in self._session.get_inputs()}
        try:
            (result,) = self._session.run(["logits"], {name: feeds[name].astype(kind) for name, kind in types.items()})
        except self._failures as error:
            raise ModelError("ONNX Runtime cannot run the graph", where=self._label, why=str(error)) from error
        logits: np.ndarray = result
        return logits


def texts(bounds: Bounds) -> list[dict[str, np.ndarray]]:
    """One text of each length, the longest last."""
    lengths = [*(length for length in _LENGTHS if length < bounds.longest), bounds.longest]
    return [_text(length, bounds) for length in lengths]


def padded(singles: list[dict[str, np.ndarray]], padding: Padding) -> dict[str, np.ndarray]:
    """The texts in one batch, short ones filled up."""
    import numpy as np

    width = max(text["input_ids"].shape[1] for text in singles)

    def filled(name: str, values: np.ndarray) -> np.ndarray:
        missing, fill = width - values.shape[1], padding.token if name == "input_ids" else 0
        return np.pad(values, ((0, 0), (missing, 0) if padding.side == "left" else (0, missing)), constant_values=fill)

    return {name: np.concatenate([filled(name, text[name]) for text in singles]) for name in singles[0]}


def answers(model: Logits, bounds: Bounds) -> list[np.ndarray]:
    """The logits of the longest text, and of the others: in one batch, where the origin's model answers rightly there."""
    *others, longest = texts(bounds)
    asked = [padded(others, bounds.padding)] if others and bounds.padding.harmless else others
    return [_of_tokens(model(feeds), feeds["attention_mask"]) for feeds in (longest, *asked)]


def _of_tokens(logits: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Where there are logits for each token, what a model says of padding does not count."""
    import numpy as np

    return np.where(mask[..., None], logits, 0) if logits.ndim == mask.ndim + 1 and logits.shape[: mask.ndim] == mask.shape else logits


def answers_alike(rebuilt: Path, original: Logits, bounds: Bounds) -> bool:
    """Whether a rebuilt model gives the original's logits."""
    bounds, found = _answered(Runner(rebuilt, f"{rebuilt.name}, rebuilt"), bounds)
    wanted = answers(original, bounds)
    return all(agree(*pair) for pair in zip(found, wanted, strict=True))


def _answered(rebuilt: Runner, bounds: Bounds) -> tuple[Bounds, list[np.ndarray]]:
    """What the original is to be asked as well, and the answers. The rebuilt model is not kept: only one at a time is in memory."""
    asked = bounds if "token_type_ids" in rebuilt.inputs else replace(bounds, types=1)
    return asked, answers(rebuilt.logits, asked)


def prove_padding(model: Logits, bounds: Bounds, label: str, *, per_token: bool = False) -> int:
    """Whether a model that is to be kept answers a text in a padded batch as alone; gives the number of its outputs.

    Raises UnsupportedModel.
    """
    singles = texts(bounds)
    alone = [model(feeds) for feeds in singles]
    batch = padded(singles, bounds.padding)
    together = model(batch)
    if together.ndim != 2 + per_token or together.shape[:-1] != batch["input_ids"].shape[: 1 + per_token]:
        raise UnsupportedModel(f"the model gives logits of shape {together.shape}", where=label)
    rows = [answers[mask != 0] if per_token else answers for answers, mask in zip(together, batch["attention_mask"], strict=True)]
    if not all(agree(row[None], single) for row, single in zip(rows, alone, strict=True)):
        raise UnsupportedModel("the model answers a text in a padded batch otherwise than alone", where=label)
    return int(together.shape[-1])


def agree(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether logits are equal but for the rounding of float32, whose errors grow with the values."""
    import numpy as np

    if found.shape != wanted.shape or not np.isfinite(wanted).all():
        return False
    return bool(np.all(np.abs(found - wanted) <= _TOLERANCE * max(1.0, float(np.abs(wanted).max(initial=0)))))


def _text(length: int, bounds: Bounds) -> dict[str, np.ndarray]:
    import numpy as np

    ids = np.linspace(bounds.vocabulary - 1, 0, length).round().astype(np.int64)[None]
    types = (np.arange(length)[None] * 2 // length) * (bounds.types > 1)
    return dict(zip(INPUTS, (ids, np.ones_like(ids), types.astype(np.int64)), strict=True))
