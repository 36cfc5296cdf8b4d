"""The facts of a Hugging Face repository that stays where it is: the same as after a pull."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.afar.model import RemoteModel
from hubclient.afar.repository import repository_afar
from hubclient.errors import CorruptTransfer, Forbidden, InconsistentModel, NoSourceLeft, NotFound, UnsupportedModel
from hubclient.native import read_manifest
from hubclient.settings import Settings
from hubclient.sources.location import HubLocation
from tests.e2e.material import IMDB, PUBMED, PUBMED_FOLDER, PUBMED_REPO, ROOT
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, ScriptedServer

SHARED = sorted(path for path in (ROOT.parent / "shared" / "hf").glob("*") if path.is_dir())
REPO = "someone/tiny"


def settings_for(fakehub: FakeHub, tmp_path: Path, **changes: str) -> Settings:
    return Settings(cache_dir=tmp_path / "cache", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf", **changes)  # type: ignore[arg-type]


def afar(fakehub: FakeHub, tmp_path: Path, repo: str = REPO) -> RemoteModel:
    return repository_afar(HubLocation(repo), settings_for(fakehub, tmp_path)).model


@pytest.mark.parametrize("folder", [PUBMED_FOLDER, *SHARED], ids=lambda path: path.name)
def test_the_facts_are_those_of_a_full_pull(fakehub: FakeHub, tmp_path: Path, folder: Path) -> None:
    fakehub.add(REPO, folder)
    hub = Hub(settings=settings_for(fakehub, tmp_path), progress=False)
    model = hub.inspect(f"hf:{REPO}").model
    manifest = read_manifest(hub.pull(f"hf:{REPO}"))
    assert model.facts == manifest.facts
    assert (model.labels, model.labels_source, model.commit) == (manifest.labels, manifest.labels_source, manifest.origin.commit)
    assert model.architecture == manifest.architecture
    assert model.unsaid == ()
    assert model.moved.bytes < 100_000


def copied(fakehub: FakeHub, changes: dict[str, bytes | None]) -> None:
    folder = fakehub.root / REPO
    shutil.copytree(PUBMED_FOLDER, folder)
    for name, content in changes.items():
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)


def config(**changes: object) -> bytes:
    return json.dumps({**json.loads((PUBMED_FOLDER / "config.json").read_bytes()), **changes}).encode()


def test_weights_are_not_read(fakehub: FakeHub, tmp_path: Path) -> None:
    copied(fakehub, {"model.safetensors": bytes(30_000_000)})
    model = afar(fakehub, tmp_path)
    assert model.moved.bytes < 100_000
    assert [(weights.name, weights.size) for weights in model.weights] == [("model.safetensors", 30_000_000)]


def test_the_card_is_the_readme(fakehub: FakeHub, tmp_path: Path) -> None:
    copied(fakehub, {"README.md": b"---\nlanguage: fr\ntags: [x]\n---\n# A tiny model\n"})
    seen = Hub(settings=settings_for(fakehub, tmp_path), progress=False).inspect(f"hf:{REPO}")
    assert seen.card is not None
    assert (seen.card.title, seen.card.language) == ("A tiny model", "fr")


def test_a_normaliser_behind_many_added_tokens(fakehub: FakeHub, tmp_path: Path) -> None:
    path = PUBMED_FOLDER / "tokenizer.json"
    if not path.exists():
        pytest.skip("the committed repository has no tokenizer.json")
    whole = json.loads(path.read_bytes())
    one = whole["added_tokens"][0]
    whole["added_tokens"] = [one] * 2000
    copied(fakehub, {"tokenizer.json": json.dumps(whole).encode()})
    assert afar(fakehub, tmp_path).facts is not None


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"architectures": ["BertForMaskedLM"]}, "not a text classifier"), ({"max_position_embeddings": "many"}, "max_position_embeddings")],
)
def test_what_cannot_be_opened_is_told_with_what_is_known(fakehub: FakeHub, tmp_path: Path, changes: dict[str, object], why: str) -> None:
    copied(fakehub, {"config.json": config(**changes)})
    model = afar(fakehub, tmp_path)
    assert model.facts is None
    assert why in str(model.refusal)
    assert model.labels


WEIGHTS_FORMS = ("model.safetensors", "model.safetensors.index.json", "zip", "legacy")


def stored_as(form: str, folder: Path) -> None:
    """The folder's weights in another form, of the same numbers."""
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    if form in ("zip", "legacy"):
        torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=form == "zip")
    elif form.endswith(".index.json"):
        save_file(tensors, folder / "model-00001-of-00001.safetensors", {"format": "pt"})
        (folder / form).write_text(json.dumps({"weight_map": dict.fromkeys(tensors, "model-00001-of-00001.safetensors")}))
    if form != "model.safetensors":
        (folder / "model.safetensors").unlink()


@pytest.mark.parametrize("form", WEIGHTS_FORMS)
@pytest.mark.parametrize("architectures", [None, []])
def test_an_architecture_that_only_the_weights_tell(fakehub: FakeHub, tmp_path: Path, form: str, architectures: list[str] | None) -> None:
    copied(fakehub, {"config.json": config(architectures=architectures)})
    stored_as(form, fakehub.root / REPO)
    hub = Hub(settings=settings_for(fakehub, tmp_path), progress=False)
    model = hub.inspect(f"hf:{REPO}").model
    manifest = read_manifest(hub.pull(f"hf:{REPO}"))
    assert model.refusal is None
    assert (model.facts, model.labels, model.task) == (manifest.facts, manifest.labels, "text-classification")
    weights = sum(weights.size for weights in model.weights)
    assert model.moved.bytes < 400_000 < weights


def test_weights_without_a_classifier_s_head(fakehub: FakeHub, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copied(fakehub, {"config.json": config(architectures=None)})
    path = fakehub.root / REPO / "model.safetensors"
    save_file({name: array for name, array in load_file(path).items() if not name.startswith("classifier.")}, path, {"format": "pt"})
    model = afar(fakehub, tmp_path)
    assert "the weights have no such head" in str(model.refusal)
    with pytest.raises(UnsupportedModel, match="no such head"):
        Hub(settings=settings_for(fakehub, tmp_path), progress=False).pull(f"hf:{REPO}")


def test_what_is_no_model(fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add("someone/data", {"data.csv": b"a,b"})
    with pytest.raises(UnsupportedModel, match=r"not a transformers model"):
        afar(fakehub, tmp_path, "someone/data")
    copied(fakehub, {"config.json": b"{"})
    with pytest.raises(InconsistentModel) as broken:
        afar(fakehub, tmp_path)
    assert REPO in str(broken.value)


def test_private_and_gated_repositories(fakehub: FakeHub, tmp_path: Path) -> None:
    for name in ("private", "gated"):
        fakehub.add(f"someone/{name}", PUBMED_FOLDER)
    with pytest.raises(NotFound):
        afar(fakehub, tmp_path, "someone/private")
    with pytest.raises(Forbidden):
        afar(fakehub, tmp_path, "someone/gated")
    settings = settings_for(fakehub, tmp_path, hf_token=fakehub.token)
    assert repository_afar(HubLocation("someone/gated"), settings).model.facts is not None


def test_other_bytes_than_the_hub_announced(script: ScriptedServer, tmp_path: Path) -> None:
    info = {"id": REPO, "sha": "a" * 40, "siblings": [{"rfilename": name, "size": 2, "blobId": "b" * 40} for name in ("config.json",)]}
    script.answer = lambda request: Reply(200, json.dumps(info).encode() if "/api/" in request.path else b"{}")
    settings = Settings(cache_dir=tmp_path, hf_endpoint=script.endpoint, hf_cache=tmp_path / "hf")
    with pytest.raises(CorruptTransfer, match="announced"):
        repository_afar(HubLocation(REPO), settings)


def test_the_repository_in_place_of_an_archive_that_is_gone(script: ScriptedServer, fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    settings = settings_for(fakehub, tmp_path, s3_endpoint=script.endpoint)
    seen = Hub(settings=settings, progress=False).inspect(PUBMED, "en")
    assert PUBMED_REPO in seen.model.url
    assert "no such object" in " ".join(seen.notices)
    assert seen.model.facts is not None
    assert seen.model.facts.activation.source == "overlay"
    with pytest.raises(NotFound):
        Hub(settings=settings, progress=False).inspect(IMDB, "en")
    shutil.rmtree(fakehub.root / PUBMED_REPO, ignore_errors=True)
    (fakehub.root / PUBMED_REPO).unlink(missing_ok=True)
    with pytest.raises(NoSourceLeft):
        Hub(settings=settings, progress=False).inspect(PUBMED, "en")
