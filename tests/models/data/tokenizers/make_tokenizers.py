"""Makes the repositories of tokenizers here, and `expected.json`: what transformers' fast tokenizers give for generated texts.

Run from the repository's root, with transformers 4.57.1, sentencepiece 0.2.3 and protobuf:
`python tests/models/data/tokenizers/make_tokenizers.py`. The charsmaps of Unicode's NFKC are large and in many models, so they lie beside
the models, once and compressed; `tests/models/tokenizer_cases.py` puts them in.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[3]))

from tests.models.tokenizer_cases import CHARSMAPS, MANY, PAIRS, SEED, SOME, digest, files_of  # noqa: E402
from tests.models.tokenizer_texts import WORDS, texts  # noqa: E402

RULES = "0041\t0061 0061\n00E9\t0065\n2122\t0028 0074 006D 0029\n0020 0020\t0020\nFB01\t0066 0069\n1F600\t003A 0029\n"
FAIRSEQ = {"unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1}
ALBERT = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1, "control_symbols": "[CLS],[SEP],[MASK]"}
XLNET = {**FAIRSEQ, "control_symbols": "<cls>,<sep>,<pad>,<mask>,<eod>,<eop>"}
DEBERTA = {
    "pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]",
    "unk_piece": "[UNK]", "unk_surface": "[UNK]",
}  # fmt: skip

# name -> model type, what the trainer is told, and the other files of the repository.
SENTENCEPIECE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "xlm_roberta": ("xlm-roberta", {**FAIRSEQ, "normalization_rule_name": "nmt_nfkc"}, {}),
    "xlm_roberta_bpe": ("xlm-roberta", {**FAIRSEQ, "model_type": "bpe", "normalization_rule_name": "nmt_nfkc"}, {}),
    "xlm_roberta_bytes": (
        "xlm-roberta",
        {**FAIRSEQ, "byte_fallback": True, "add_dummy_prefix": False, "user_defined_symbols": "the,<b>,ing ,12,<pad>", "vocab_size": 560},
        {"special_tokens_map.json": {"additional_special_tokens": ["<b>", {"content": " movie", "lstrip": True, "normalized": True}]}},
    ),
    "xlm_roberta_bpe_bytes": (
        "xlm-roberta",
        {**FAIRSEQ, "model_type": "bpe", "byte_fallback": True, "remove_extra_whitespaces": False, "vocab_size": 560},
        {},
    ),
    "camembert": ("camembert", {**FAIRSEQ, "normalization_rule_tsv": RULES}, {}),
    "camembert_saved": ("camembert", {**FAIRSEQ, "normalization_rule_name": "nmt_nfkc"}, {"save": "slow"}),
    "albert": ("albert", {**ALBERT, "normalization_rule_name": "nmt_nfkc"}, {}),
    "albert_cased": (
        "albert",
        {**ALBERT, "control_symbols": "[CLS],[SEP]", "treat_whitespace_as_suffix": True},
        {"tokenizer_config.json": {"do_lower_case": False, "keep_accents": True, "remove_space": False}},
    ),
    "xlnet": ("xlnet", {**XLNET, "normalization_rule_name": "nmt_nfkc"}, {}),
    "xlnet_saved": (
        "xlnet",
        {**XLNET, "control_symbols": "<cls>,<sep>", "user_defined_symbols": "<mask>", "normalization_rule_name": "nmt_nfkc_cf"},
        {"save": "slow", "tokenizer_config.json": {"do_lower_case": True, "keep_accents": True}},
    ),
    "deberta": ("deberta-v2", {**DEBERTA, "normalization_rule_name": "nmt_nfkc"}, {}),
    "deberta_punctuation": (
        "deberta-v2",
        {**DEBERTA, "normalization_rule_name": "nmt_nfkc_cf"},
        {
            "tokenizer_config.json": {"do_lower_case": True, "split_by_punct": True, "vocab_type": "spm"},
            "added_tokens.json": {"[MASK]": 400, "<e1>": 401, "Film": 402},
            "special_tokens_map.json": {"mask_token": "[MASK]", "cls_token": "[CLS]"},
        },
    ),
    "deberta_bpe": ("deberta-v2", {**DEBERTA, "model_type": "bpe", "split_digits": True}, {}),
}
BYTE_LEVEL: dict[str, tuple[str, dict[str, Any]]] = {
    "roberta": ("roberta", {}),
    "roberta_prefix": (
        "roberta",
        {
            "tokenizer_config.json": {
                "add_prefix_space": True,
                "trim_offsets": False,
                "mask_token": {"content": "<mask>", "__type": "AddedToken"},
            },
            "special_tokens_map.json": {"unk_token": {"content": "<unk>", "lstrip": True, "rstrip": True, "normalized": False}},
            "added_tokens.json": {"<e1>": 500, "film": 501},
        },
    ),
    "longformer_saved": ("longformer", {"save": "slow", "tokenizer_config.json": {"model_max_length": 4096}}),
}
WORDPIECE: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("bert", {}),
    "bert_cased": (
        "bert",
        {"tokenizer_config.json": {"do_lower_case": False, "tokenize_chinese_chars": False, "strip_accents": True}},
    ),
    "bert_renamed": (
        "bert",
        {
            "tokenizer_config.json": {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "strip_accents": False},
            "special_tokens_map.json": {"mask_token": {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False}},
            "added_tokens.json": {"<e1>": 600, "movie": 601},
        },
    ),
    "distilbert_saved": ("distilbert", {"save": "slow", "tokenizer_config.json": {"additional_special_tokens": ["<e1>", "[unused1]"]}}),
    "electra": ("electra", {}),
    "mpnet": ("mpnet", {}),
    "mpnet_saved": ("mpnet", {"save": "slow", "tokenizer_config.json": {"do_lower_case": False}}),
}


def corpus() -> Iterator[str]:
    """Words of a few languages, and some of everything."""
    source = random.Random("corpus")
    for line in texts("corpus", 300):
        yield from (" ".join(source.choices(WORDS, k=9)) + source.choice((".", ",", " 3,", " 12,")) for _ in range(20))
        if line.strip():
            yield line


def sentencepiece(settings: Mapping[str, Any]) -> bytes:
    """A small model; the charsmaps of Unicode are left out of it."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    model = io.BytesIO()
    usual = {"vocab_size": 400, "hard_vocab_limit": False, "character_coverage": 0.98, "num_threads": 1, "minloglevel": 2}
    settings = {"normalization_rule_name": "identity", **usual, **settings}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        if "normalization_rule_tsv" in settings:
            rules.write(settings["normalization_rule_tsv"])
            rules.flush()
            settings["normalization_rule_tsv"] = rules.name
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=corpus(), model_writer=model, **settings)
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    proto.trainer_spec.ClearField("input")
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    name = proto.normalizer_spec.name
    if name in CHARSMAPS:
        (FOLDER / CHARSMAPS[name]).write_bytes(zlib.compress(proto.normalizer_spec.precompiled_charsmap, 9))
        proto.normalizer_spec.precompiled_charsmap = b""
    return bytes(proto.SerializeToString())


def byte_level() -> dict[str, bytes]:
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(corpus(), vocab_size=500, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_model(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def wordpiece() -> dict[str, bytes]:
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(lowercase=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]"]
    tokenizer.train_from_iterator(corpus(), vocab_size=598, special_tokens=special, limit_alphabet=300, show_progress=False)
    lines = [*sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__), "<mask>", "great"]
    return {"vocab.txt": "".join(f"{line}\n" for line in lines).encode()}


def write(case: str, model_type: str, files: Mapping[str, bytes], more: Mapping[str, Any]) -> None:
    from transformers import AutoTokenizer

    folder = FOLDER / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in {"config.json": {"model_type": model_type}, **more}.items():
        if name != "save":
            (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if more.get("save") == "slow":
        tokenizer = AutoTokenizer.from_pretrained(whole(case), use_fast=False)
        for path in map(Path, tokenizer.save_pretrained(tempfile.mkdtemp())):
            if path.suffix == ".json" and path.name not in files and path.exists():
                shutil.copyfile(path, folder / path.name)


def whole(case: str) -> Path:
    """A folder with the repository's files, the charsmap put in."""
    folder = Path(tempfile.mkdtemp())
    for name, data in files_of(FOLDER / case).items():
        (folder / name).write_bytes(data)
    return folder


def expected(case: str) -> dict[str, Any]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(whole(case))
    assert tokenizer.is_fast
    ids = tokenizer(list(texts(SEED, MANY)))["input_ids"]
    pairs = [tokenizer(*pair) for pair in PAIRS]
    return {
        "size": 1 + max(tokenizer.get_vocab().values()),
        "some": "".join(digest([row]) for row in ids[:SOME]),
        "many": "".join(digest(ids[start : start + SOME]) for start in range(0, MANY, SOME)),
        "pairs": [{"ids": pair["input_ids"], "type_ids": pair.get("token_type_ids", [])} for pair in pairs],
    }


def main() -> None:
    for case, (model_type, settings, more) in SENTENCEPIECE.items():
        name = {"albert": "spiece.model", "xlnet": "spiece.model", "deberta-v2": "spm.model"}.get(model_type, "sentencepiece.bpe.model")
        write(case, model_type, {name: sentencepiece(settings)}, more)
    for cases, files in ((BYTE_LEVEL, byte_level()), (WORDPIECE, wordpiece())):
        for case, (model_type, more) in cases.items():
            write(case, model_type, files, more)
    found = {case: expected(case) for case in (*SENTENCEPIECE, *BYTE_LEVEL, *WORDPIECE)}
    (FOLDER / "expected.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
