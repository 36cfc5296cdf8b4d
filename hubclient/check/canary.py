"""A few texts whose answers a lock keeps: a model that answers them as it did is the model that it was.

Logits are kept, not scores: what an overlay says of the activation does not change them. They are rounded to the third place, and may be
off by two hundredths: other engines, processors and graphs of the same tensors differ by a thousandth of that, other weights by far more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubclient.lockfile import Canary

if TYPE_CHECKING:
    from hubclient.way import Opened

TEXTS = (
    "An utterly charming film, from the first minute to the last.",
    "Patients who took 5 mg of the drug twice a day felt worse after three weeks.",
    "Angela Merkel met the members of the United Nations in New York on Monday.",
)
_PLACES = 3
_TOLERANCE = 0.02
_HYPOTHESIS = "this"


def ask(model: Opened, texts: Sequence[str] = TEXTS) -> tuple[Canary, ...]:
    """What the model answers, in the form that a lock has."""
    if model.task == "token-classification":
        return tuple(_tagged(model, text) for text in texts)
    return tuple(_classified(model, text) for text in texts)


def first_difference(model: Opened, recorded: Sequence[Canary]) -> tuple[Canary, Canary] | None:
    """The first text to which the model answers otherwise than was recorded: what was recorded, and what it says now."""
    for was, now in zip(recorded, ask(model, [canary.text for canary in recorded]), strict=True):
        if not _agree(was, now):
            return was, now
    return None


def _agree(was: Canary, now: Canary) -> bool:
    if not was.logits:
        return was.answer == now.answer
    # Two labels that are as good as equal may change places.
    return len(was.logits) == len(now.logits) and all(
        abs(one - other) <= _TOLERANCE * max(1.0, abs(one)) for one, other in zip(was.logits, now.logits, strict=True)
    )


def _classified(model: Opened, text: str) -> Canary:
    from hubclient.zero_shot import ZeroShotClassifier

    row = model.logits([text], [_HYPOTHESIS])[0, 0] if isinstance(model, ZeroShotClassifier) else model.logits([text])[0]
    return Canary(text, model.labels[int(row.argmax())], tuple(round(float(each), _PLACES) for each in row))


def _tagged(model: Opened, text: str) -> Canary:
    (rows,) = model.logits([text])
    return Canary(text, " ".join(model.labels[int(index)] for index in rows.argmax(axis=1)))
