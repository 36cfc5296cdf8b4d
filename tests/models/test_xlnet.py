"""XLNet: checkpoints of transformers, graphs of TensorFlow, exports to ONNX."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import XLNetConfig, XLNetForSequenceClassification, XLNetForTokenClassification

from hubclient import Classifier, from_folder
from hubclient.archive.onnxmodel import OnnxModel
from hubclient.errors import HubError, InconsistentModel, UnsupportedModel
from hubclient.models import family_of, xlnet
from hubclient.models.family import Head
from hubclient.texts import Text
from tests.models.rebuilt import INPUTS, archived_graph, committed_graph, is_proved, rebuild, rebuild_checkpoint, rebuild_onnx

TINY: dict[str, Any] = {"vocab_size": 50, "d_model": 20, "n_layer": 2, "n_head": 2, "d_inner": 9}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one_head": {"n_head": 1, "ff_activation": "relu", "layer_norm_eps": 1e-3, "num_labels": 27},
    "five_heads_first": {"n_head": 5, "d_model": 30, "clamp_len": 4, "summary_type": "first", "n_layer": 1},
    "mean": {"summary_type": "mean", "summary_use_proj": False, "ff_activation": "gelu_new"},
    "cls_index": {"summary_type": "cls_index", "summary_activation": "", "num_labels": 1, "n_layer": 3},
    "no_projection": {"summary_activation": "gelu", "summary_use_proj": False, "ff_activation": "silu"},
    "causal": {"attn_type": "uni"},
    "causal_alone": {"attn_type": "uni", "same_length": True},
    "causal_first": {"attn_type": "uni", "summary_type": "first"},
    "same_length_of_both_sides": {"same_length": True},
}
LENGTHS = (1, 2, 7, 40, 300)
GRAPHS = ("xlnet_one_head", "xlnet_first", "xlnet_mean", "xlnet_causal", "xlnet_causal_alone", "xlnet_tokens")
TOLERANCE = 1e-4


def checkpoint(kind: Any = XLNetForSequenceClassification, **settings: Any) -> Any:
    torch.manual_seed(5)
    model = kind(XLNetConfig(**{**TINY, "initializer_range": 0.4, **settings})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def random_texts() -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids and token types, as the tokenizer gives them to pairs: 0, 1, and 2 for the last token."""
    random = np.random.default_rng(3)
    texts = [(random.integers(0, TINY["vocab_size"], length), np.arange(length) * 2 // length) for length in LENGTHS]
    for _, types in texts:
        types[-1] = 2
    return texts


def reference(model: Any, ids: np.ndarray, types: np.ndarray) -> np.ndarray:
    tensors = dict(zip(INPUTS, torch.tensor(np.stack([ids, np.ones_like(ids), types]))[:, None], strict=True))
    with torch.no_grad():
        return np.asarray(model(**tensors).logits[0].numpy())


def differences(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    assert [one.shape for one in found] == [one.shape for one in expected]
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_logits_are_transformers(case: str, tmp_path: Path) -> None:
    check(checkpoint(**CASES[case]), tmp_path)


@pytest.mark.parametrize("settings", [{"num_labels": 5}, {"num_labels": 1, "attn_type": "uni", "n_layer": 1}], ids=["both", "causal"])
def test_each_token_has_logits(settings: dict[str, Any], tmp_path: Path) -> None:
    check(checkpoint(XLNetForTokenClassification, **settings), tmp_path)


def check(model: Any, folder: Path) -> None:
    rebuilt, texts = rebuild_checkpoint(xlnet, model, folder), random_texts()
    expected = [reference(model, *text) for text in texts]
    assert differences([rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts], expected) <= TOLERANCE
    for side in ("left", "right"):
        assert differences(rebuilt.padded(texts, side, pad=5), expected) <= TOLERANCE


def test_types_count(tmp_path: Path) -> None:
    """Or else no test here would notice a graph without them."""
    rebuilt, ids = rebuild_checkpoint(xlnet, checkpoint(), tmp_path), np.arange(6)[None]
    assert np.abs(rebuilt.logits(ids, types=np.array([[0, 0, 0, 1, 1, 2]])) - rebuilt.logits(ids)).max() > TOLERANCE


@pytest.mark.parametrize("name", GRAPHS)
def test_tensorflow_graphs(name: str, tmp_path: Path) -> None:
    graphed = committed_graph(name)
    golden, shapes = graphed.golden, graphed.shapes
    head: Head = "token" if "Token" in golden["class"] else "sequence"
    assert family_of(shapes) is xlnet
    recipe = xlnet.from_tensorflow(graphed.flow, shapes, head)
    assert recipe.config["architectures"] == [golden["class"]]
    assert {**recipe.config, "n_layer": golden["settings"]["n_layer"]} == recipe.config
    stated = {key: value for key, value in golden["settings"].items() if key not in ("num_labels", "mem_len")}
    assert {key: recipe.config[key] for key in stated} == stated
    rebuilt = rebuild(xlnet, recipe, shapes, graphed.load, tmp_path)
    found = [rebuilt.logits(np.array([row["input_ids"]]), types=np.array([row["token_type_ids"]]))[0] for row in golden["rows"]]
    assert differences(found, [np.array(row["logits"]) for row in golden["rows"]]) <= TOLERANCE


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_are_proved(name: str, tmp_path: Path) -> None:
    graphed = committed_graph(name)
    recipe = xlnet.from_tensorflow(graphed.flow, graphed.shapes, "token" if name.endswith("tokens") else "sequence")
    rebuild(xlnet, recipe, graphed.shapes, graphed.load, tmp_path)
    assert is_proved(xlnet, graphed, recipe.config, tmp_path)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("xlnet_one_head", {"layer_norm_eps": 1e-2}),
        ("xlnet_one_head", {"ff_activation": "gelu"}),
        ("xlnet_first", {"attn_type": "uni"}),
        ("xlnet_one_head", {"summary_type": "first"}),
        ("xlnet_one_head", {"summary_activation": "relu"}),
        ("xlnet_first", {"clamp_len": -1}),
        ("xlnet_causal", {"same_length": True}),
    ],
)
def test_wrong_settings_are_noticed(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    graphed = committed_graph(name)
    recipe = xlnet.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
    wrong = replace(recipe, config={**recipe.config, **changes})
    rebuild(xlnet, wrong, graphed.shapes, graphed.load, tmp_path)
    assert not is_proved(xlnet, graphed, recipe.config, tmp_path)


def test_the_shared_archive(shared: Path, tmp_path: Path) -> None:
    (path,) = (shared / "archives").glob("xlnet*_3.4.4_*.zip")
    original = json.loads((shared / "hf" / "tiny_xlnet_open" / "config.json").read_text(encoding="utf-8"))
    with archived_graph(path) as graphed:
        recipe = xlnet.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
        assert {key: original[key] for key in recipe.config} == recipe.config
        rebuilt = rebuild(xlnet, recipe, graphed.shapes, graphed.load, tmp_path)
    rows = [json.loads(line) for line in path.with_name(f"{path.stem}.golden.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) > 100
    texts = [(np.array(row["input_ids"]), np.array([0] * (len(row["input_ids"]) - 1) + [2])) for row in rows]
    expected = [np.array(row["logits"]) for row in rows]
    assert differences([rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts], expected) <= TOLERANCE
    assert differences(rebuilt.padded(texts, "left", pad=5), expected) <= TOLERANCE


def export(model: Any, path: Path, opset: int) -> bytes:
    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits

    ids = torch.randint(5, TINY["vocab_size"], (2, 7))
    axes = {name: {0: "batch", 1: "tokens"} for name in INPUTS} | {"logits": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits().eval(),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            str(path),
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
    return path.read_bytes()


# With causal attention, transformers runs no batch; how it takes the token of cls_index, an If, is not read.
@pytest.mark.parametrize(
    ("case", "opset"), [("plain", 14), ("one_head", 17), ("five_heads_first", 17), ("mean", 14), ("no_projection", 17)]
)
def test_exports_to_onnx(case: str, opset: int, tmp_path: Path) -> None:
    model = checkpoint(**CASES[case])
    recipe, rebuilt = rebuild_onnx(xlnet, export(model, tmp_path / "theirs.onnx", opset), "sequence", tmp_path)
    ours = {key: value for key, value in recipe.config.items() if key not in ("architectures", "same_length")}
    assert {key: getattr(model.config, key) for key in ours} == ours
    texts = random_texts()
    expected = [reference(model, *text) for text in texts]
    assert differences([rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts], expected) <= TOLERANCE


def test_an_export_for_tokens(tmp_path: Path) -> None:
    model = checkpoint(XLNetForTokenClassification, num_labels=4)
    _, rebuilt = rebuild_onnx(xlnet, export(model, tmp_path / "theirs.onnx", 17), "token", tmp_path)
    texts = random_texts()
    expected = [reference(model, *text) for text in texts]
    assert differences([rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts], expected) <= TOLERANCE


def test_what_transformers_opens(tmp_path: Path) -> None:
    """The recipe's config.json makes the model that the tensors are of."""
    graphed = committed_graph("xlnet_one_head")
    recipe = xlnet.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
    rebuilt = rebuild(xlnet, recipe, graphed.shapes, graphed.load, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(recipe.config), encoding="utf-8")
    model, told = XLNetForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert told["missing_keys"] == told["unexpected_keys"] == set()
    texts = random_texts()[:4]
    found = [rebuilt.logits(ids[None] % 40, types=types[None])[0] for ids, types in texts]
    assert differences(found, [reference(model.eval(), ids % 40, types) for ids, types in texts]) <= TOLERANCE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bi_data": True}, "bi_data"),
        ({"attn_type": "other"}, "attn_type"),
        ({"summary_type": "attn"}, "summary_type"),
        ({"summary_proj_to_labels": True}, "summary_proj_to_labels"),
        ({"ff_activation": "mish"}, "mish"),
        ({"summary_activation": "mish"}, "mish"),
        ({"d_head": 3}, "d_head"),
        ({"n_head": 3}, "3 heads"),
        ({"d_model": 15, "n_head": 3}, "width of 15"),
        ({"clamp_len": 2.5}, "clamp_len"),
        ({"clamp_len": 1 << 70}, "clamp_len"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps"),
        ({"layer_norm_eps": "small"}, "layer_norm_eps"),
        ({"summary_activation": ["tanh"]}, "tanh"),
        ({"hidden_size": 40}, "hidden_size"),
    ],
)
def test_settings_that_change_the_computation_are_refused(changes: dict[str, Any], words: str) -> None:
    config = {**xlnet.defaults, **TINY, "architectures": ["XLNetForSequenceClassification"], **changes}
    with pytest.raises(HubError, match=words):
        xlnet.build_graph(config, {}, "model.safetensors")


def test_a_graph_of_another_head_is_refused() -> None:
    graphed = committed_graph("xlnet_tokens")
    with pytest.raises(HubError):
        xlnet.from_tensorflow(graphed.flow, graphed.shapes, "sequence")


def test_heads_that_do_not_make_the_width_are_refused() -> None:
    graphed = committed_graph("xlnet_one_head")
    shapes = {name: (12, 2, 5) if name.endswith("/q") else shape for name, shape in graphed.shapes.items()}
    with pytest.raises(InconsistentModel, match="2 heads of 5"):
        xlnet.from_tensorflow(graphed.flow, shapes, "sequence")


def test_a_missing_tensor_is_named() -> None:
    graphed = committed_graph("xlnet_one_head")
    shapes = {name: shape for name, shape in graphed.shapes.items() if not name.endswith("/seg_embed")}
    with pytest.raises(UnsupportedModel, match="not those") as caught:
        xlnet.from_tensorflow(graphed.flow, shapes, "sequence")
    assert "seg_embed" in str(caught.value.why)


def test_the_head_of_an_export_counts(tmp_path: Path) -> None:
    flow = OnnxModel(export(checkpoint(n_layer=1), tmp_path / "theirs.onnx", 17), label="model").trace("logits", {})
    with pytest.raises(UnsupportedModel):
        xlnet.from_onnx(flow, "token")


@pytest.mark.parametrize("case", ["plain", "mean", "five_heads_first", "causal"])
def test_a_repository_answers_alike_alone_and_in_a_batch(case: str, tmp_path: Path) -> None:
    """transformers itself does not: where it takes a mean or the first token, padding counts; where attention is causal, it fails."""
    model = checkpoint(**CASES[case])
    model.save_pretrained(tmp_path / "repository")
    save_tokenizer(tmp_path / "repository")
    texts: list[Text] = ["a b c", "", "f e d c b a " * 9, ("a b", "c d e f")]
    classifier = from_folder(tmp_path / "repository", cache_dir=tmp_path / "cache")
    expected = np.stack([reference(model, *encoded(classifier, text)) for text in texts])
    for engine in ("onnx", "torch"):
        opened = Classifier(classifier.path, engine=engine)
        assert np.abs(opened.logits(texts) - expected).max() <= TOLERANCE
        assert np.abs(np.concatenate([opened.logits([text]) for text in texts]) - expected).max() <= TOLERANCE


def save_tokenizer(folder: Path) -> None:
    words = {word: number for number, word in enumerate(["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", *"abcdef"])}
    tokenizer = Tokenizer(WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="$A:0 <sep>:0 <cls>:2", pair="$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2", special_tokens=[("<sep>", 4), ("<cls>", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}), encoding="utf-8")


def encoded(classifier: Classifier, text: Text) -> tuple[np.ndarray, np.ndarray]:
    """Ids and token types."""
    ids = np.array(classifier.encode(text))
    types = (np.cumsum(ids == 4) - (ids == 4)).clip(0, 1) if isinstance(text, tuple) else np.zeros_like(ids)
    types[-1] = 2
    return ids, types
