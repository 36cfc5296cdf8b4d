"""What is tried with every family of encoders: checkpoints of transformers, graphs of TensorFlow, exports to ONNX, archives."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from hubclient.archive.calculate import calculate
from hubclient.archive.graph import Graph
from hubclient.convert.canary import Bounds, answers_alike
from hubclient.errors import HubError
from hubclient.models.encoder_family import EncoderFamily
from hubclient.models.family import HEADS, Family, Head, Recipe
from hubclient.padding import Padding
from tests.models.exports import Named, export
from tests.models.rebuilt import DATA, INPUTS, Graphed, Rebuilt, archived_graph, committed_graph, rebuild, rebuild_checkpoint, rebuild_onnx

ARCHIVES = Path(__file__).parents[3] / "shared/archives"
TOLERANCE = 1e-4
LENGTHS = (1, 2, 5, 9, 14)
WAYS: dict[str, dict[str, Any]] = {
    "eager": {},
    "sdpa_old": {"opset": 14},
    "eager_not_folded": {"do_constant_folding": False},
    "sdpa_dynamo": {"dynamo": True},
    "eager_dynamo_not_optimized": {"dynamo": True, "optimize": False},
}
EXPORTS = [pytest.param(way, marks=[pytest.mark.slow] if "dynamo" in way else []) for way in WAYS]
Text = tuple[np.ndarray, np.ndarray]


def random_model(kind: str, settings: Mapping[str, Any], attention: str = "eager") -> Any:
    """A model of this class of transformers, with random weights, biases and norms too."""
    torch.manual_seed(5)
    config = getattr(transformers, f"{kind.partition('For')[0]}Config")(initializer_range=0.4, attn_implementation=attention, **settings)
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def check_checkpoint(family: EncoderFamily, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
    """The graph that is built for a checkpoint answers as transformers does, alone and in a padded batch."""
    model = random_model(kind, settings)
    check_answers(family, rebuild_checkpoint(family, model, folder), model)


def check_answers(family: EncoderFamily, rebuilt: Rebuilt, model: Any) -> None:
    texts = random_texts(family, model)
    wanted = [reference(family, model, *text) for text in texts]
    found = [rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts]
    together = rebuilt.padded(texts, "right", model.config.pad_token_id)
    assert difference(found, wanted) <= TOLERANCE
    assert difference(together, wanted) <= TOLERANCE


def random_texts(family: EncoderFamily, model: Any) -> list[Text]:
    """Ids of the whole vocabulary, padding within the text too; token types where the family has them."""
    random, config = np.random.default_rng(3), model.config
    kinds = config.type_vocab_size if family.anatomy.asks_types else 1
    texts = [(random.integers(0, config.vocab_size, length), random.integers(0, kinds, length)) for length in LENGTHS]
    texts[-1][0][3] = config.pad_token_id
    return texts


def reference(family: EncoderFamily, model: Any, ids: np.ndarray, types: np.ndarray) -> np.ndarray:
    given = dict(zip(INPUTS, (ids, np.ones_like(ids), types), strict=True))
    with torch.no_grad():
        logits: np.ndarray = model(**{name: torch.tensor(given[name][None]) for name in family.anatomy.inputs}).logits[0].numpy()
    return logits


def difference(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> float:
    assert [one.shape for one in found] == [one.shape for one in wanted]
    return max(float(np.abs(one - other).max()) for one, other in zip(found, wanted, strict=True))


def check_export(family: EncoderFamily, kind: str, settings: Mapping[str, Any], way: str, folder: Path) -> None:
    """An export to ONNX is read back: its settings, its tensors, its answers."""
    if "dynamo" in way:
        pytest.importorskip("onnxscript")
    model = random_model(kind, settings, way.partition("_")[0])
    data = export(Named(model, family.anatomy.inputs).eval(), folder / "m.onnx", inputs=family.anatomy.inputs, **WAYS[way])
    recipe, rebuilt = rebuild_onnx(family, data, head_of(kind), folder)
    check_config(family, recipe, model.config.to_dict())
    check_answers(family, rebuilt, model)


def check_config(family: EncoderFamily, recipe: Recipe, wanted: Mapping[str, Any]) -> None:
    found = {key: recipe.config[key] for key in family.keys.values()}
    assert found == {key: wanted[key] for key in family.keys.values()}
    assert recipe.config["model_type"] == family.model_type


def head_of(kind: str) -> Head:
    return next(head for head, ending in HEADS.items() if kind.endswith(ending))


def read_graph(family: Family, graphed: Graphed, head: Head) -> Recipe:
    return family.from_tensorflow(graphed.flow, graphed.shapes, head)


def check_graph(family: EncoderFamily, name: str, folder: Path, **instead: Any) -> None:
    """A committed graph of TensorFlow's: its settings, its answers, the proof, and transformers on what is written.

    `instead` are settings that TensorFlow's model has in place of those that it was made with.
    """
    graphed = committed_graph(name)
    kind, settings = graphed.golden["class"], graphed.golden["settings"]
    recipe = read_graph(family, graphed, head_of(kind))
    check_config(family, recipe, {**family.defaults, **settings, **instead})
    assert recipe.config["architectures"] == [kind]
    rebuilt = rebuild(family, recipe, graphed.shapes, graphed.load, folder)
    check_rows(rebuilt, graphed.golden["rows"])
    assert proved(family, recipe, graphed, folder)
    check_in_transformers(family, recipe, folder, rebuilt, settings["num_labels"])


def check_rows(rebuilt: Rebuilt, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        ids = np.array([row["input_ids"]])
        types = np.array([row.get("token_type_ids", [0] * ids.shape[1])])
        assert np.abs(rebuilt.logits(ids, types=types)[0] - np.array(row["logits"])).max() <= TOLERANCE


def check_in_transformers(family: EncoderFamily, recipe: Recipe, folder: Path, rebuilt: Rebuilt, labels: int) -> None:
    names = {str(number): f"label {number}" for number in range(labels)}
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0, **recipe.config, "id2label": names}), encoding="utf-8")
    kind = recipe.config["architectures"][0]
    model = getattr(transformers, f"AutoModel{HEADS[head_of(kind)]}").from_pretrained(folder).eval()
    assert type(model).__name__ == kind
    check_answers(family, rebuilt, model)


def proved(family: Family, recipe: Recipe, graphed: Graphed, folder: Path) -> bool:
    """Whether the model in the folder answers as the graph does."""
    padding = Padding(recipe.config.get("pad_token_id", 0))
    bounds = Bounds.of(family, recipe.config, padding)
    return answers_alike(folder / "model.onnx", lambda feeds: calculate(graphed.flow, feeds, graphed.load), bounds)


def check_noticed(family: EncoderFamily, name: str, changes: Mapping[str, Any], folder: Path) -> None:
    """A setting that is read wrongly gives other answers than the graph, and the proof shows it."""
    graphed = committed_graph(name)
    recipe = read_graph(family, graphed, head_of(graphed.golden["class"]))
    assert all(recipe.config[key] != value for key, value in changes.items())
    wrong = replace(recipe, config={**recipe.config, **changes})
    rebuild(family, wrong, graphed.shapes, graphed.load, folder)
    assert not proved(family, wrong, graphed, folder)


def check_damage(family: Family, name: str) -> None:
    """Bits flipped all over a committed graph: what cannot be read is refused, whatever it is."""
    graphed, data = committed_graph(name), zipfile.ZipFile(DATA / f"graphs_{name}.zip").read("saved_model.pb")
    read, positions = 0, range(0, len(data), len(data) // 60)
    for position in positions:
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        with suppress(HubError):
            flow = Graph(bytes(damaged)).trace(graphed.golden["logits"])
            if flow.variables.keys() <= graphed.shapes.keys():
                family.from_tensorflow(flow, {key: graphed.shapes[key] for key in flow.variables}, head_of(graphed.golden["class"]))
                read += 1
    assert 0 < read < len(positions)


def archives(beginning: str) -> list[Any]:
    """Those that came with the project, of names that begin so."""
    found = sorted(ARCHIVES.glob(f"{beginning}*.zip"))
    reason = "no such archives lie beside the project"
    return [pytest.param(path, id=path.stem) for path in found] or [pytest.param(None, marks=pytest.mark.skip(reason=reason))]


def check_archive(family: EncoderFamily, path: Path, origin: str | None, folder: Path, head: Head = "sequence") -> None:
    """`origin` is the Hugging Face repository beside the archives that has the same model."""
    recipe, rebuilt = read_archive(family, path, head, folder)
    check_rows(rebuilt, golden_rows(path))
    if origin:
        settings = json.loads((ARCHIVES.parent / "hf" / origin / "config.json").read_text(encoding="utf-8"))
        check_config(family, recipe, settings)
        assert recipe.config["architectures"] == settings["architectures"]


def read_archive(family: Family, path: Path, head: Head, folder: Path) -> tuple[Recipe, Rebuilt]:
    for data in _onnx_models(path):
        return rebuild_onnx(family, data, head, folder)
    with archived_graph(path) as graphed:
        recipe = read_graph(family, graphed, head)
        return recipe, rebuild(family, recipe, graphed.shapes, graphed.load, folder)


def _onnx_models(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as outer:
        for name in outer.namelist():
            if name.endswith("_onnx"):
                with zipfile.ZipFile(BytesIO(outer.read(name))) as inner:
                    yield from (inner.read(member) for member in inner.namelist())


def golden_rows(path: Path) -> list[dict[str, Any]]:
    _, *rows = map(json.loads, path.with_suffix(".golden.jsonl").read_text(encoding="utf-8").splitlines())
    return rows
