"""Every repository answers as the archive of the same model: by its name on a Hub, whatever its weights and tokenizer lie in."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hubclient import Classifier, from_folder, load
from hubclient.errors import UnsafeArchive, UnsupportedModel
from tests.e2e.material import PUBMED_FOLDER, SHARED, Golden, shared_classifiers, tolerance
from tests.e2e.shell import hub
from tests.servers.hub import FakeHub

REPOSITORIES = SHARED.parent / "hf"
TOLERANCE = 1e-4
# The folder of each model, and how its archives' names begin.
NAMES = {
    "bert_tiny_sst2": "bert_tiny_sequence_classifier_sst2_en_3.4.4",
    "bert_tiny_trec6": "bert_tiny_cased_sequence_classifier_trec6_en_3.4.4",
    "tiny_albert_open": "albert_tiny_sequence_classifier_open_en_3.4.4",
    "tiny_camembert_open": "camembert_tiny_sequence_classifier_open_fr_5.5.3_3.4_1730",
    "tiny_deberta_open": "deberta_tiny_sequence_classifier_open_en_5.5.3_3.4_1730",
    "tiny_distilbert_open": "distilbert_tiny_sequence_classifier_open_en_3.4.4",
    "tiny_electra_open": "bert_classifier_electra_tiny_open_en_3.4.4",
    "tiny_longformer_open": "longformer_tiny_sequence_classifier_open_en_3.4.4",
    "tiny_mpnet_open": "mpnet_tiny_sequence_classifier_open_en_5.5.3",
    "tiny_roberta_open": "roberta_tiny_sequence_classifier_open_en_3.4.4",
    "tiny_xlmr_open": "xlm_roberta_tiny_sequence_classifier_open_xx_3.4.4",
    "tiny_xlnet_open": "xlnet_tiny_sequence_classifier_open_en_3.4.4",
}
GOLDENS = {folder: golden for golden in shared_classifiers() for folder, start in NAMES.items() if golden.archive.name.startswith(start)}


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_parity(name: str, engine: str, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fakehub.add(f"somebody/{name}", REPOSITORIES / name)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    golden = GOLDENS[name]
    classifier = load(f"hf:somebody/{name}", engine=engine, max_length=golden.facts["max_length"])
    check(classifier, golden)


def test_every_repository_has_its_golden_answers() -> None:
    if not REPOSITORIES.is_dir():
        pytest.skip("the shared material is not beside this checkout")
    folders = {path.name for path in REPOSITORIES.iterdir() if path.is_dir()}
    assert folders - {"bert_tiny_pubmed"} == GOLDENS.keys()


def check(classifier: Classifier, golden: Golden) -> None:
    texts = [row.text for row in golden.rows]
    wanted, limit = np.array([row.logits for row in golden.rows]), tolerance(golden, classifier.engine)
    for row in golden.rows:
        assert classifier.encode(row.text) == row.input_ids, row.text
    assert np.abs(classifier.logits(texts, batch_size=len(texts)) - wanted).max() <= limit
    assert np.abs(np.concatenate([classifier.logits([text]) for text in texts[:40]]) - wanted[:40]).max() <= limit


def test_the_readme_is_the_card(fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(PUBMED_FOLDER, tmp_path / "repo"))
    (folder / "README.md").write_text(
        "---\nlicense: mit\nlanguage: [en]\npipeline_tag: text-classification\n---\n# A title\n", encoding="utf-8"
    )
    fakehub.add("somebody/pubmed", folder)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    card = load("hf:somebody/pubmed").card
    assert card is not None
    assert (card.name, card.language, card.title, card.task) == ("somebody/pubmed", "en", "A title", ("text-classification",))
    shown = hub("info", "hf:somebody/pubmed")
    assert "title\tA title" in shown.out


def test_without_a_readme_config_json_is_the_card(fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fakehub.add("somebody/pubmed", PUBMED_FOLDER)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    classifier = load("hf:somebody/pubmed")
    assert classifier.card is not None
    assert classifier.card.labels == classifier.labels


def checkpoint(folder: Path, architecture: str = "FNet", **save: object) -> object:
    """A random classifier of an architecture that is none of ours, with a fast tokenizer."""
    import torch
    import transformers

    torch.manual_seed(1)
    config = getattr(transformers, f"{architecture}Config")(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, intermediate_size=48, max_position_embeddings=40, num_labels=3
    )
    model = getattr(transformers, f"{architecture}ForSequenceClassification")(config).eval()
    model.save_pretrained(folder, **save)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(vocab=dict(zip(words, range(99), strict=False)), model_max_length=32).save_pretrained(folder)
    return model


def test_other_architectures_open_with_transformers(tmp_path: Path) -> None:
    import torch

    model = checkpoint(tmp_path / "fnet")
    classifier = from_folder(tmp_path / "fnet")
    assert classifier.engine == "torch"
    ids = classifier.encode("a b c")
    with torch.inference_mode():
        wanted = model(input_ids=torch.tensor([ids])).logits.numpy()  # type: ignore[operator]
    assert np.abs(classifier.logits(["a b c"]) - wanted).max() <= TOLERANCE
    with pytest.raises(UnsupportedModel, match="fnet"):
        from_folder(tmp_path / "fnet", engine="onnx")


def test_a_pickle_that_runs_code_is_refused_before_it_runs(tmp_path: Path) -> None:
    import os
    import pickle

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'it_ran'}",)

    folder = Path(shutil.copytree(PUBMED_FOLDER, tmp_path / "repo"))
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"bert.pooler.dense.bias": Attack()}))
    with pytest.raises(UnsafeArchive):
        from_folder(folder)
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("sharded", [False, True])
def test_half_precision_and_shards(dtype: str, sharded: bool, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(PUBMED_FOLDER).to(getattr(torch, dtype))
    folder = Path(shutil.copytree(PUBMED_FOLDER, tmp_path / "repo"))
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="100KB" if sharded else "1GB")
    assert (folder / "model.safetensors").exists() is not sharded
    wide, classifier = model.float(), from_folder(folder)
    ids = classifier.encode("A text.")
    with torch.inference_mode():
        wanted = wide(input_ids=torch.tensor([ids])).logits.numpy()
    assert np.abs(classifier.logits(["A text."]) - wanted).max() <= TOLERANCE
    assert sorted(path.name for path in classifier.path.glob("*.safetensors*")) == ["model.safetensors"]
