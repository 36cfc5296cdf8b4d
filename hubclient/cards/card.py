"""A model card as a value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from hubclient.cards.benchmark import Benchmark
from hubclient.cards.frozen import FrozenMap
from hubclient.cards.location import S3Location
from hubclient.names import Version, parse_version

if TYPE_CHECKING:
    from hubclient.cards.labels import LabelsForm
    from hubclient.cards.yaml_mapping import Value


@dataclass(frozen=True)
class Card:
    """What a card says, as it says it; what is not said is None or empty.

    `name`, `language`, `lib_version` are the front matter's. What is downloaded is told by the S3 key, which outranks them:
    `model_name`, `model_language`, `version`, `epoch_ms`. `labels` are in the card's order, which is not the order of the classes.
    `model_info` has every row of the table, with one spelling for each known key. `size_mb` counts in 1024 * 1024 bytes.
    `hf_origin` is the one Hugging Face repository that the card links to, None if there are several; `hf_origins` are all that
    have an owner, `hf_legacy_models` those without (`bert-base-cased`), which count only where none has an owner.
    `benchmarks` are those tables of `benchmarking` that could be read as numbers.
    `how_to_use` maps python, scala, java, nlu (and any other language of a code block) to code. `other_sections` maps further
    headings to their text, `front_matter` every field of the front matter to its value as written.
    """

    name: str
    language: str
    title: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    edition: str | None = None
    product: str | None = None
    lib_version: str | None = None
    spark_version: str | None = None
    annotator: str | None = None
    supported: bool | None = None
    engine: str | None = None
    recommended: bool | None = None
    deprecated: bool | None = None
    nav_key: str | None = None
    class_: str | None = None
    repository: str | None = None
    download_url: str | None = None
    download_parsed: S3Location | None = None
    s3_uri: str | None = None
    s3_parsed: S3Location | None = None
    model_info: FrozenMap[str, str] = field(default_factory=FrozenMap)
    max_sentence_length: int | None = None
    case_sensitive: bool | None = None
    size_mb: float | None = None
    labels_form: LabelsForm = "absent"
    labels: tuple[str, ...] = ()
    labels_verbatim: tuple[str, ...] = ()
    hf_origins: tuple[str, ...] = ()
    hf_legacy_models: tuple[str, ...] = ()
    hf_origin: str | None = None
    nlu_refs: tuple[str, ...] = ()
    nlu_ref: str | None = None
    description: str | None = None
    how_to_use: FrozenMap[str, str] = field(default_factory=FrozenMap)
    results: str | None = None
    data_source: str | None = None
    benchmarking: str | None = None
    benchmarks: tuple[Benchmark, ...] = ()
    references: str | None = None
    other_sections: FrozenMap[str, str] = field(default_factory=FrozenMap)
    front_matter: FrozenMap[str, Value] = field(default_factory=FrozenMap)
    path: str | None = None

    @property
    def model_name(self) -> str:
        return (self.s3_parsed.name if self.s3_parsed else None) or self.name

    @property
    def model_language(self) -> str:
        return (self.s3_parsed.lang if self.s3_parsed else None) or self.language

    @property
    def version(self) -> Version:
        """The library version as integers; empty when the card tells none."""
        text = (self.s3_parsed.lib_version if self.s3_parsed else None) or self.lib_version
        return parse_version(text) if text else ()

    @property
    def epoch_ms(self) -> int:
        """When the archive was made, in milliseconds since 1970; 0 when the card does not tell."""
        return (self.s3_parsed.epoch_ms if self.s3_parsed else None) or 0

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values; `class_` is called `class`."""
        return {item.name.rstrip("_"): _plain(getattr(self, item.name)) for item in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, (S3Location, Benchmark)):
        return value.to_dict()
    if isinstance(value, FrozenMap):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
