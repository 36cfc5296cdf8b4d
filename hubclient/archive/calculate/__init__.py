"""Working out a TensorFlow graph on numbers, as data: an allow-list of pure operators in numpy; nothing of TensorFlow is run.

Strategy: the nodes of a dataflow are worked out one by one, producers first, and a value is let go when its last consumer is done.
Operators are looked up in one table (`operators.py`); an If, While, Switch or Merge goes the way that its predicate says. What a hostile
graph could make without end is bounded beforehand: operations, arithmetic, the size of a value and of all values together (`Limits`).

It shows what an archive's graph answers, so that a model rebuilt from it can be compared: where TensorFlow would refuse, this does.

Source: tensorflow/core/ops/*.cc (signatures, attributes and their defaults), tensorflow/core/kernels (what they do).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.archive.calculate.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from hubclient.archive.graph import Dataflow

__all__ = ["Limits", "calculate"]


def calculate(
    flow: Dataflow, feeds: Mapping[str, np.ndarray], variable: Callable[[str], np.ndarray], *, limits: Limits | None = None
) -> np.ndarray:
    """The value of the output of `flow`.

    `feeds` are by input name: `input_ids` serves a placeholder `input_ids` or `serving_default_input_ids`, and is cast to its type.
    `variable` gives a variable by its full name; arrays that lie in a file are used where they lie. Raises UnsupportedModel for an operator
    that is not known, an input that is not fed or a limit that is passed, and CorruptArchive where an operator and its inputs do not fit.
    """
    from hubclient.archive.calculate.budget import Budget
    from hubclient.archive.calculate.machine import Machine

    return Machine(flow.graph, feeds, variable, Budget(limits or Limits())).answer(flow)
