"""A classifier as scikit-learn has them: for its pipelines, its cross-validation, its scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hubclient.classifier import Classifier
from hubclient.errors import MissingExtra, UsageError
from hubclient.texts import Text

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
except ImportError as error:
    raise MissingExtra("evaluate", "the scikit-learn estimator") from error

if TYPE_CHECKING:
    import numpy as np


class HubEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """`classifier`: one that is open, or a reference as `hubclient.load` takes it, which is opened when it is first needed.

    It is trained already: `fit` only checks that the labels are the model's. `classes_` are sorted, as scikit-learn has them, and so are
    the columns of `predict_proba`. Of a multi-label model, labels are given and predicted as rows of 0 and 1, one column for each class.
    """

    def __init__(self, classifier: Classifier | str, *, batch_size: int | None = None) -> None:
        self.classifier = classifier
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None) -> HubEstimator:  # noqa: N803 - scikit-learn's name
        """Raises UsageError for labels that the model does not have."""
        import numpy as np

        labels = self._model.labels
        if len(labels) < 2:
            raise UsageError("the model has one output, and a classifier chooses between two at least", why=f"it is {labels[0]}")
        self.classes_ = np.array(sorted(labels))
        if y is not None:
            self._check(np.asarray(y))
        return self

    def predict(self, X: Iterable[Text]) -> np.ndarray:  # noqa: N803
        """Labels, of shape (n,); of a multi-label model 0 and 1, of shape (n, labels)."""
        if self._model.multi_label:
            chosen: np.ndarray = (self.predict_proba(X) > self._model.threshold).astype(int)
            return chosen
        return self._model.predict(X, batch_size=self.batch_size).astype(str)

    def predict_proba(self, X: Iterable[Text]) -> np.ndarray:  # noqa: N803
        """Scores after the activation, float32 of shape (n, labels); the labels are sorted."""
        import numpy as np

        order = np.argsort(np.array(self._model.labels))
        scores: np.ndarray = self._model.predict_proba(X, batch_size=self.batch_size)[:, order]
        return scores

    @property
    def _model(self) -> Classifier:
        if isinstance(self.classifier, Classifier):
            return self.classifier
        if self.__dict__.get("_opened", (None,))[0] != self.classifier:
            from hubclient.hub import load

            self._opened = self.classifier, load(self.classifier)
        return self._opened[1]

    def _check(self, y: np.ndarray) -> None:
        """Whether these are labels of the model's."""
        if self._model.multi_label:
            if y.ndim != 2 or y.shape[1] != len(self.classes_) or not set(y.ravel().tolist()) <= {0, 1}:
                raise UsageError(
                    f"the labels of a multi-label model are rows of 0 and 1, and {y.shape} was given",
                    hint=f"one column each for {', '.join(self.classes_)}",
                )
            return
        unknown = sorted(map(repr, set(y.ravel().tolist()) - set(self.classes_)))
        if y.ndim != 1 or unknown:
            what = f"the model has no label {', '.join(unknown[:5])}" if unknown else f"labels have the shape {y.shape}, and not (n,)"
            raise UsageError(what, hint=f"its labels are {', '.join(self.classes_)}")

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit, tags.no_validation, tags.target_tags.required = False, True, False
        tags.input_tags.one_d_array, tags.input_tags.two_d_array, tags.input_tags.string = True, False, True
        return tags
