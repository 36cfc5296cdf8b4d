"""Repositories as they are found: of old releases, of other tools, changed by hand. What transformers opens answers the same, and what it
does not open is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
import transformers

from hubclient import Classifier, TokenClassifier, from_folder
from hubclient.errors import HubError, InconsistentModel, UnsupportedModel
from hubclient.native import read_json
from tests.models.encoders import random_model
from tests.tasks.made import PIECES, TAGS, change_config, save_model, write_json

pytestmark = pytest.mark.usefixtures("one_torch_thread")

TOLERANCE = 1e-4
TEXTS = ["a good film", "", "this is [MASK] BAD", "x y z"]
PAIR = ("a good film", "this is bad")
LABELS = ("good", "bad", "neither")
CONFIG, WEIGHTS, FAST = "config.json", "model.safetensors", "tokenizer_config.json"
Arrays = dict[str, np.ndarray]
USUAL = {"hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 5, "max_position_embeddings": 40}
# Of families that differ in the names of tensors.
TINY: dict[str, dict[str, Any]] = {
    "Bert": USUAL,
    "DistilBert": {"dim": 6, "n_layers": 1, "n_heads": 2, "hidden_dim": 5, "max_position_embeddings": 40},
    "DebertaV2": USUAL,
    "XLNet": {"d_model": 6, "n_layer": 1, "n_head": 2, "d_inner": 5},
}


def repository(folder: Path, family: str = "Bert", head: str = "SequenceClassification", labels: tuple[str, ...] = LABELS) -> Path:
    """With a fast tokenizer of BERT's, whatever the family."""
    settings = {**TINY[family], "vocab_size": len(PIECES), "pad_token_id": 0, "id2label": dict(enumerate(labels))}
    random_model(f"{family}For{head}", {**settings, "label2id": {label: index for index, label in enumerate(labels)}}).save_pretrained(
        folder
    )
    tokenizer = transformers.BertTokenizerFast(vocab={piece: index for index, piece in enumerate(PIECES)}, model_max_length=32)
    tokenizer.save_pretrained(folder)
    return folder


def change_weights(folder: Path, change: Callable[[Arrays], Arrays], metadata: dict[str, str] | None = None) -> None:
    arrays = change(safetensors.numpy.load_file(folder / WEIGHTS))
    safetensors.numpy.save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / WEIGHTS, metadata)


def opened(folder: Path) -> tuple[Classifier, Classifier]:
    """With both engines."""
    return from_folder(folder, engine="onnx"), from_folder(folder, engine="torch")


def check_same(changed: Path, original: Path) -> None:
    """The changed repository answers as transformers does on the original one."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(original).eval()
    for classifier in opened(changed):
        with torch.inference_mode():
            wanted = torch.cat([model(input_ids=torch.tensor([classifier.encode(text)])).logits for text in TEXTS]).numpy()
        assert np.abs(classifier.logits(TEXTS) - wanted).max() <= TOLERANCE


@pytest.fixture(params=TINY)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """The same repository twice."""
    return repository(tmp_path / "original", request.param), repository(tmp_path / "changed", request.param)


@pytest.mark.parametrize("architectures", [None, []])
def test_no_architecture(architectures: list[str] | None, pair: tuple[Path, Path]) -> None:
    original, changed = pair
    change_config(changed, architectures=architectures)
    check_same(changed, original)


def test_no_model_type(pair: tuple[Path, Path]) -> None:
    original, changed = pair
    change_config(changed, model_type=None)
    check_same(changed, original)


def test_no_prefix_of_the_base_model(pair: tuple[Path, Path]) -> None:
    original, changed = pair
    base = transformers.AutoModelForSequenceClassification.from_pretrained(original).base_model_prefix
    change_weights(changed, lambda arrays: {name.removeprefix(f"{base}."): array for name, array in arrays.items()})
    check_same(changed, original)


def test_tensors_of_other_heads_and_buffers(pair: tuple[Path, Path]) -> None:
    original, changed = pair
    more: Arrays = {"cls.predictions.bias": np.ones(3, np.float32), "x.embeddings.position_ids": np.arange(7)[None]}
    change_weights(changed, lambda arrays: {**arrays, **more}, {"format": "pt"})
    check_same(changed, original)


def test_old_names_of_layer_norms(tmp_path: Path) -> None:
    original, changed = repository(tmp_path / "original"), repository(tmp_path / "changed")
    change_weights(
        changed,
        lambda arrays: {
            name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): array for name, array in arrays.items()
        },
    )
    check_same(changed, original)


@pytest.mark.parametrize("metadata", [None, {}, {"made": "by hand"}, {"format": "pt", "made": "by hand"}])
def test_what_the_file_of_weights_says_of_itself(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    """transformers 4 refuses one that says something, and not its format."""
    original, changed = repository(tmp_path / "original"), repository(tmp_path / "changed")
    change_weights(changed, lambda arrays: arrays, metadata)
    check_same(changed, original)
    with safetensors.safe_open(from_folder(changed).path / WEIGHTS, "numpy") as file:
        assert file.metadata() is None or file.metadata()["format"] == "pt"


@pytest.mark.parametrize("function", ["gelu_python", "gelu_accurate", "gelu_python_tanh", "gelu_pytorch_tanh", "swish"])
def test_other_names_of_activation_functions(function: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    change_config(folder, hidden_act=function)
    check_same(folder, folder)


@pytest.mark.parametrize(
    "settings",
    [
        {"return_dict": False},
        {"torchscript": True},
        {"output_attentions": True, "output_hidden_states": True},
        {"_attn_implementation": "flash_attention_2", "attn_implementation": "flash_attention_2"},
        {"torch_dtype": "float16"},
        {"dtype": "bfloat16"},
        {"num_labels": 5},
        {"problem_type": "single_label_classification"},
        {"tokenizer_class": "NoSuchTokenizer"},  # tokenizer_config.json names another one
        {"auto_map": {"AutoModelForSequenceClassification": "modeling.Own"}},
        {"pruned_heads": {}, "finetuning_task": "sst2", "_num_labels": 3, "output_past": True},
    ],
    ids=str,
)
def test_settings_that_change_no_answer(settings: dict[str, Any], tmp_path: Path) -> None:
    original, changed = repository(tmp_path / "original"), repository(tmp_path / "changed")
    change_config(changed, **settings)
    check_same(changed, original)
    assert from_folder(changed).labels == LABELS
    kept = read_json(from_folder(changed).path / CONFIG)
    assert not {"return_dict", "torchscript", "output_attentions", "attn_implementation", "torch_dtype", "num_labels"} & kept.keys()
    again = transformers.AutoModelForSequenceClassification.from_pretrained(from_folder(changed).path)
    assert (again.dtype, again.config.num_labels) == (torch.float32, 3)


def test_classes_without_names(tmp_path: Path) -> None:
    original, changed = repository(tmp_path / "original"), repository(tmp_path / "changed")
    change_config(changed, id2label=None, num_labels=3)
    check_same(changed, original)
    assert from_folder(changed).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_one_class_of_a_single_label(tmp_path: Path) -> None:
    """transformers' pipeline gives its sigmoid; later versions refuse that config.json."""
    folder = repository(tmp_path / "model", labels=("only",))
    change_config(folder, problem_type="single_label_classification")
    for classifier in opened(folder):
        assert classifier.activation == "sigmoid"
        assert 0 < classifier("a good film").score < 1


def test_what_is_in_force_is_in_the_folder(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    for problem, activation in (("regression", "none"), ("multi_label_classification", "sigmoid"), (None, "softmax")):
        change_config(folder, problem_type=problem)
        classifier = from_folder(folder)
        pipeline = transformers.pipeline("text-classification", model=str(classifier.path), device="cpu", top_k=None)
        assert classifier.activation == activation
        scores = {answer["label"]: answer["score"] for answer in pipeline([TEXTS[0]])[0]}
        assert all(abs(classifier(TEXTS[0]).scores[label] - score) <= TOLERANCE for label, score in scores.items())


@pytest.mark.parametrize("family", ["DistilBert", "XLNet"])
def test_a_tagger_without_an_architecture(family: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model", family, "TokenClassification", TAGS)
    before = from_folder(folder, task="token-classification")(TEXTS)
    change_config(folder, architectures=None)
    tagger = from_folder(folder, task="token-classification")
    assert isinstance(tagger, TokenClassifier)
    assert tagger(TEXTS) == before


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod."])
def test_weights_of_what_a_model_was_wrapped_in(prefix: str, pair: tuple[Path, Path]) -> None:
    changed = pair[1]
    change_weights(changed, lambda arrays: {prefix + name: array for name, array in arrays.items()})
    with pytest.raises(UnsupportedModel, match=f"all weights begin with '{prefix}'"):
        from_folder(changed)


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [
        ({"transformers_weights": "other.safetensors"}, UnsupportedModel, "other.safetensors"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, UnsupportedModel, "quantized"),
        ({"model_type": None, "architectures": None}, UnsupportedModel, "does not say of what architecture"),
        ({"model_type": None, "architectures": ["Own"]}, UnsupportedModel, "does not say of what architecture"),
        ({"model_type": ["bert"], "architectures": "BertForSequenceClassification"}, UnsupportedModel, "does not say"),
        ({"architectures": ["BertModel"]}, UnsupportedModel, "not a text classifier"),
        ({"id2label": None, "num_labels": "3"}, InconsistentModel, "num_labels is '3'"),
        ({"id2label": None, "num_labels": -1}, InconsistentModel, "num_labels is -1"),
        ({"id2label": None, "num_labels": 10**12}, InconsistentModel, "num_labels is 1000000000000"),
        ({"id2label": ["a", "b", "c"]}, InconsistentModel, "id2label"),
        ({"problem_type": ["regression"]}, UnsupportedModel, "regression"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_honoured(settings: dict[str, Any], kind: type[HubError], words: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    change_config(folder, **settings)
    with pytest.raises(kind, match=words):
        from_folder(folder)


def test_neither_head(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    change_config(folder, architectures=None)
    change_weights(folder, lambda arrays: {name: array for name, array in arrays.items() if not name.startswith("classifier")})
    with pytest.raises(UnsupportedModel, match="no such head"):
        from_folder(folder)


@pytest.mark.parametrize("name", [WEIGHTS, "pytorch_model.bin"])
def test_whole_numbers_are_no_weights(name: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    arrays = safetensors.numpy.load_file(folder / WEIGHTS)
    tensors = {key: torch.from_numpy(array.astype(np.int8) if key.endswith("query.weight") else array) for key, array in arrays.items()}
    (folder / WEIGHTS).unlink()
    if name == WEIGHTS:
        safetensors.torch.save_file(tensors, folder / name, {"format": "pt"})
    else:
        torch.save(tensors, folder / name)
    with pytest.raises(UnsupportedModel, match=r"query.weight' has whole numbers \(I8\)"):
        from_folder(folder)


def test_the_length_as_old_releases_called_it(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    write_json(folder / FAST, {"max_len": 17})
    assert from_folder(folder).max_length == 17
    write_json(folder / FAST, {"max_len": 17, "model_max_length": int(1e30)})
    assert from_folder(folder).max_length == 40


def test_a_tokenizer_with_truncation_and_padding_of_its_own(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    expected = [from_folder(folder).encode(text) for text in TEXTS]
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = {"direction": "Left", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    tokenizer["padding"] = {
        "strategy": {"Fixed": 9},
        "direction": "Left",
        "pad_to_multiple_of": None,
        "pad_id": 1,
        "pad_type_id": 0,
        "pad_token": "[UNK]",
    }
    write_json(folder / "tokenizer.json", tokenizer)
    classifier = from_folder(folder)
    theirs = transformers.AutoTokenizer.from_pretrained(classifier.path)
    assert [classifier.encode(text) for text in TEXTS] == [theirs(text)["input_ids"] for text in TEXTS] == expected
    assert theirs.padding_side == "right"


@pytest.mark.parametrize("settings", [None, {}, {"do_lower_case": False}, {"do_lower_case": True, "mask_token": "x"}], ids=str)
def test_a_tokenizer_is_what_its_class_makes_of_it(settings: dict[str, Any] | None, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["normalizer"]["lowercase"] = not (settings or {}).get("do_lower_case", True)
    write_json(folder / "tokenizer.json", tokenizer)
    (folder / FAST).unlink()
    if settings is not None:
        write_json(folder / FAST, settings)
    classifier, theirs = from_folder(folder), transformers.AutoTokenizer.from_pretrained(folder)
    assert [classifier.encode(text) for text in TEXTS] == [theirs(text)["input_ids"] for text in TEXTS]
    assert classifier.manifest.facts.lowercase.value is (settings or {}).get("do_lower_case", True)


@pytest.mark.parametrize("slow", [False, True])
def test_a_tokenizer_that_gives_no_token_types(slow: bool, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "SequenceClassification", LABELS)
    if not slow:
        transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
        (folder / "vocab.txt").unlink()
    typed = from_folder(folder).logits([PAIR])
    write_json(folder / FAST, {**read_json(folder / FAST), "model_input_names": ["input_ids", "attention_mask"]})
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        wanted = model(**tokenizer(*PAIR, return_tensors="pt")).logits.numpy()
    for classifier in opened(folder):
        assert np.abs(classifier.logits([PAIR]) - wanted).max() <= TOLERANCE
    assert np.abs(typed - wanted).max() > 100 * TOLERANCE


def test_a_tokenizer_whose_types_the_model_does_not_take(tmp_path: Path) -> None:
    """BERT's tokenizer with DistilBERT: what the folder says of its inputs is what the model takes."""
    classifier = from_folder(repository(tmp_path / "model", "DistilBert"))
    assert transformers.AutoTokenizer.from_pretrained(classifier.path).model_input_names == ["input_ids", "attention_mask"]
    pipeline = transformers.pipeline("text-classification", model=str(classifier.path), device="cpu")
    assert abs(pipeline(TEXTS[0])[0]["score"] - classifier(TEXTS[0]).score) <= TOLERANCE


def test_a_null_tokenizer_file_means_the_slow_files(tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    other = PIECES.copy()
    other[6], other[7] = other[7], other[6]
    (folder / "vocab.txt").write_text("\n".join(other) + "\n", encoding="utf-8")
    before = from_folder(folder).encode("example is")
    write_json(folder / FAST, {**read_json(folder / FAST), "tokenizer_file": None})
    assert from_folder(folder).encode("example is") == [before[0], before[2], before[1], before[3]]
    (folder / "vocab.txt").unlink()
    assert from_folder(folder).encode("example is") == before


@pytest.mark.parametrize("value", [5, ["BertTokenizer"]])
def test_a_class_that_is_no_name(value: object, tmp_path: Path) -> None:
    folder = repository(tmp_path / "model")
    write_json(folder / FAST, {"tokenizer_class": value})
    with pytest.raises(InconsistentModel, match="tokenizer_class"):
        from_folder(folder)
