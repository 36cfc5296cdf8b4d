"""Unusual checkpoints of every family, as repositories on a Hub: they answer as transformers' own model does, on the ids of the reference.

What each tokenizer gives is known from transformers 4.57.1 (tests/models/data/tokenizers); the installed one must give the same for the
folder that a model is kept in, whatever it makes of the repository's own files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from hubclient import Classifier, load
from hubclient.models.tokenizer_kinds import KINDS
from hubclient.native import read_json
from hubclient.texts import Text
from tests.models.encoders import random_model
from tests.models.tokenizer_cases import PAIRS, SEED, Case, cases, digest
from tests.models.tokenizer_texts import texts
from tests.servers.hub import FakeHub, running_fakehub

pytestmark = pytest.mark.usefixtures("one_torch_thread")

TOLERANCE = 1e-4
WEIGHTS = "model.safetensors"
TORCH = "pytorch_model.bin"
CASES = {case.name: case for case in cases()}
DRAWN = list(texts(SEED, 24))
# What a model is kept in, whatever files its repository had.
FILES = {"config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS, "model.onnx", "manifest.json", "complete.json"}
LABELS = ("a, b", 'say "x"', "  blanks  ", "Ärger", "", "naïve ß", "it's", "x\ty", "😀", *(f"label {number}" for number in range(18)))
SMALL: Mapping[str, Any] = {
    "hidden_size": 7,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "intermediate_size": 13,
    "hidden_act": "relu",
    "layer_norm_eps": 1e-3,
    "max_position_embeddings": 300,
}
WIDE: Mapping[str, Any] = {
    "hidden_size": 35,
    "num_hidden_layers": 3,
    "num_attention_heads": 5,
    "intermediate_size": 37,
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 45,
}
MANY = {"id2label": dict(enumerate(LABELS)), "label2id": {label: number for number, label in enumerate(LABELS)}}
TAGS = {**MANY, "problem_type": "multi_label_classification"}
ONE = {"num_labels": 1, "problem_type": "regression"}
# What transformers' pipeline does to the logits.
ACTIVATIONS: Mapping[str | None, Callable[[torch.Tensor], torch.Tensor]] = {
    None: lambda logits: logits.softmax(-1),
    "multi_label_classification": torch.sigmoid,
    "regression": torch.clone,
}


@dataclass(frozen=True)
class Repository:
    """`fast`: it has a tokenizer.json that its class does not take as it is in all versions, else only the slow files.

    `weights`: the file, and for that of torch whether it is a zip.
    """

    kind: str
    tokenizer: str
    settings: Mapping[str, Any]
    fast: bool
    weights: str = WEIGHTS
    zipped: bool = True

    @property
    def case(self) -> Case:
        return CASES[self.tokenizer]

    def __str__(self) -> str:
        return f"{self.tokenizer}-{'fast' if self.fast else 'slow'}"


def longer(settings: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Positions are counted from behind the padding's id."""
    return {**settings, "max_position_embeddings": settings["max_position_embeddings"] + 2, **more}


def renamed(settings: Mapping[str, Any], names: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {names[key]: value for key, value in settings.items() if key in names} | more


DISTILBERT = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
    "max_position_embeddings": "max_position_embeddings",
}
XLNET = {
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "intermediate_size": "d_inner",
    "hidden_act": "ff_activation",
    "layer_norm_eps": "layer_norm_eps",
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "norm_rel_ebd": "layer_norm"}

REPOSITORIES = [
    Repository("Bert", "bert_cased", {**SMALL, **MANY}, fast=True),
    Repository("Bert", "bert_renamed", {**WIDE, **ONE, "type_vocab_size": 3}, fast=False, weights=TORCH),
    Repository("DistilBert", "distilbert_saved", renamed(SMALL, DISTILBERT, **TAGS), fast=False),
    Repository("DistilBert", "distilbert_saved", renamed(WIDE, DISTILBERT, **ONE), fast=True, weights=TORCH, zipped=False),
    Repository("Electra", "electra", {**SMALL, **MANY, "embedding_size": 11}, fast=True, weights=TORCH),
    Repository("Electra", "electra", {**WIDE, **ONE, "embedding_size": 35}, fast=False),
    Repository("Roberta", "roberta_prefix", longer(SMALL, **TAGS), fast=True),
    Repository("Roberta", "roberta", longer(WIDE, **ONE), fast=False, weights=TORCH, zipped=False),
    Repository("XLMRoberta", "xlm_roberta_bytes", longer(SMALL, **MANY), fast=True),
    Repository("XLMRoberta", "xlm_roberta_bpe", longer(WIDE, **ONE), fast=False, weights=TORCH),
    Repository("Camembert", "camembert", longer(SMALL, **TAGS), fast=False, weights=TORCH, zipped=False),
    Repository("Camembert", "camembert_saved", longer(WIDE, **ONE), fast=True),
    Repository("Albert", "albert_cased", {**SMALL, **MANY, "embedding_size": 11, "num_hidden_layers": 3}, fast=False),
    Repository("Albert", "albert", {**WIDE, **ONE, "embedding_size": 35, "inner_group_num": 2}, fast=True, weights=TORCH, zipped=False),
    Repository("MPNet", "mpnet", longer(SMALL, **TAGS, relative_attention_num_buckets=40), fast=True, weights=TORCH, zipped=False),
    Repository("MPNet", "mpnet_saved", longer(WIDE, **ONE), fast=False),
    Repository("Longformer", "longformer_saved", longer(SMALL, **MANY, attention_window=[4, 8]), fast=False, weights=TORCH),
    Repository("Longformer", "longformer_saved", longer(WIDE, **ONE, attention_window=[8, 4, 8]), fast=True),
    Repository("DebertaV2", "deberta_punctuation", {**SMALL, **TAGS, **RELATIVE, "type_vocab_size": 2}, fast=True, weights=TORCH),
    Repository("DebertaV2", "deberta_bpe", {**WIDE, **ONE, **RELATIVE, "share_att_key": True, "conv_kernel_size": 3}, fast=False),
    Repository("XLNet", "xlnet", renamed(SMALL, XLNET, **MANY, d_model=8), fast=False, weights=TORCH, zipped=False),
    Repository("XLNet", "xlnet_saved", renamed(WIDE, XLNET, **ONE, d_model=30, summary_type="mean"), fast=True),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    with running_fakehub(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.mark.parametrize("repository", REPOSITORIES, ids=str)
def test_unusual_checkpoints(repository: Repository, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(repository, tmp_path / "repository")
    name = f"hf:somebody/{repository}"
    hub.add(f"somebody/{repository}", tmp_path / "repository")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "repository").eval()
    for engine in ("onnx", "torch"):
        classifier = load(name, engine=engine, progress=False)
        assert classifier.engine == engine
        assert {path.name for path in classifier.path.iterdir()} == FILES
        check_tokens(classifier, repository.case)
        check_answers(classifier, model, repository.settings.get("problem_type"))


def save(repository: Repository, folder: Path) -> None:
    """Weights, config.json and tokenizer files, as somebody has them who made the model with transformers."""
    case = repository.case
    kind = KINDS[case.model_type]
    files = {name: data for name, data in case.files.items() if name != "config.json"}
    built = kind.build(kind.from_files(case.files), rows=case.size, lowercase=None, max_length=512)
    padding = kind.pad_id(kind.from_files(case.files), case.size)
    settings = {"vocab_size": case.size, "pad_token_id": padding, **repository.settings}
    model = random_model(f"{repository.kind}ForSequenceClassification", settings)
    model.save_pretrained(folder)
    if repository.weights == TORCH:
        (folder / WEIGHTS).unlink()
        torch.save(model.state_dict(), folder / TORCH, _use_new_zipfile_serialization=repository.zipped)
    if repository.fast:
        stated = {**built.config, "tokenizer_class": kind.tokenizer_class}
        files = {"tokenizer.json": built.tokenizer_json.encode(), "tokenizer_config.json": json.dumps(stated).encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)


def check_tokens(classifier: Classifier, case: Case) -> None:
    """The reference's, here and in transformers."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier.path)
    first, settings = (read_json(classifier.path / name) for name in ("tokenizer.json", "tokenizer_config.json"))
    # transformers 4 goes by the settings, 5 by the file.
    assert first["pre_tokenizer"].get("add_prefix_space") == settings.get("add_prefix_space")
    whole = 0
    for number, text in enumerate(DRAWN):
        ids = classifier.encode(text)
        assert tokenizer(text, truncation=True)["input_ids"] == ids
        if len(ids) < classifier.max_length:
            whole += 1
            assert digest([ids]) == case.some[8 * number : 8 * number + 8], text
    assert whole > len(DRAWN) / 3
    for pair, known in zip(PAIRS, case.pairs, strict=True):
        assert classifier.encode(pair) == known["ids"]
        encoding = tokenizer(*pair)
        assert encoding["input_ids"] == known["ids"]
        assert encoding.get("token_type_ids", []) == known["type_ids"]


def check_answers(classifier: Classifier, model: Any, problem: str | None) -> None:
    """Alone, and together in one padded batch."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier.path)
    asked: list[Text] = [*DRAWN, *PAIRS]
    wanted = torch.cat([reference(model, tokenizer, text) for text in asked])
    alone = np.concatenate([classifier.logits([text]) for text in asked])
    assert np.abs(alone - wanted.numpy()).max() <= TOLERANCE
    assert np.abs(classifier.logits(asked, batch_size=len(asked)) - wanted.numpy()).max() <= TOLERANCE
    assert classifier.labels == tuple(model.config.id2label[number] for number in range(model.config.num_labels))
    assert np.abs(classifier.predict_proba(asked) - ACTIVATIONS[problem](wanted).numpy()).max() <= TOLERANCE
    assert classifier(asked[0]).label == classifier.labels[int(wanted[0].argmax())]


def reference(model: Any, tokenizer: Any, text: Text) -> torch.Tensor:
    encoding = tokenizer(*((text,) if isinstance(text, str) else text), truncation=True, return_tensors="pt")
    with torch.inference_mode():
        logits: torch.Tensor = model(**encoding).logits
    return logits
