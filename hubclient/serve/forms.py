"""What requests and answers look like; the OpenAPI description is made of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from hubclient.classifier import Classifier
from hubclient.serve.limits import Limits


class PredictionForm(BaseModel):
    label: Annotated[str, Field(description="The label with the highest score.")]
    score: float
    selected: Annotated[list[str], Field(description="The labels that hold, highest first.")]
    scores: Annotated[dict[str, float], Field(description="Label to score, in class order, or the highest `top_k`.")]


class AnswerForm(BaseModel):
    model: str
    predictions: Annotated[list[PredictionForm], Field(description="One for each text, in their order.")]


class ModelForm(BaseModel):
    model: Annotated[str, Field(description="What requests call it.")]
    labels: Annotated[list[str], Field(description="In class order.")]
    multi_label: bool
    activation: str
    threshold: float
    max_length: Annotated[int, Field(description="Tokens of a text that count.")]
    engine: str
    precision: str
    tensors: Annotated[str, Field(description="The digest of the weights.")]


class ModelsForm(BaseModel):
    models: list[ModelForm]


class StateForm(BaseModel):
    state: str


class Question(BaseModel):
    """What `request_form` adds the limits to."""

    model_config = ConfigDict(extra="forbid", strict=True, title="Question")

    texts: list[Any]
    model: str | None
    threshold: float | None
    top_k: int | None


def request_form(limits: Limits, models: list[str]) -> type[Question]:
    """The form of a question to these models."""
    text: Any = Annotated[str, Field(max_length=limits.characters)]
    pair: Any = Annotated[list[text], Field(min_length=2, max_length=2)]
    texts: Any = Annotated[list[text | pair], Field(max_length=limits.texts, examples=[["I really liked that movie!"]])]
    return create_model(
        "Question",
        __base__=Question,
        texts=(texts, Field(description="Each is a text, or a pair of texts.")),
        model=_model(models),
        threshold=(Annotated[float, Field(ge=0, le=1)] | None, Field(None, description="Labels of a multi-label model score above it.")),
        top_k=(Annotated[int, Field(ge=1), BeforeValidator(_whole)] | None, Field(None, description="Only so many scores a text.")),
    )


def _model(models: list[str]) -> Any:
    """The only model there is needs no name."""
    one = len(models) == 1
    kind, default = (str | None, None) if one else (str, ...)
    return kind, Field(default, description="Which model.", json_schema_extra={"enum": [*models, None] if one else [*models]})


def _whole(value: object) -> object:
    """In JSON Schema 2.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def described(name: str, classifier: Classifier) -> ModelForm:
    return ModelForm(
        model=name,
        labels=list(classifier.labels),
        multi_label=classifier.multi_label,
        activation=classifier.activation,
        threshold=classifier.threshold,
        max_length=classifier.max_length,
        engine=classifier.engine,
        precision=classifier.precision,
        tensors=classifier.manifest.tensors_digest,
    )
