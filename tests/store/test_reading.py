"""Opening a cached model reads little, and writes nothing that it needs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hubclient import Hub, pretrained
from hubclient.store.layer import Layer
from tests.e2e.material import DEMO
from tests.e2e.shell import cache, python

if TYPE_CHECKING:
    import pytest

COUNTING = """
import sys
from collections import Counter
opened = Counter()
root = sys.argv[1]
def count(event, arguments):
    if event == "open" and str(arguments[0]).startswith(root):
        opened[str(arguments[0])[len(root) + 1:].partition("/")[0] + " " + str(arguments[0]).rpartition(".")[2]] += 1
sys.addaudithook(count)
from hubclient import pretrained
assert pretrained(sys.argv[2], "en")("fine").label == "pos"
for name in ("names json", "leases lease", "locks lock"):
    print(name, opened[name])
"""


def test_a_cached_model_is_looked_up_once() -> None:
    pretrained(DEMO, "en")
    done = python(COUNTING, cache(), DEMO)
    assert done.lines == ["names json 1", "leases lease 1", "locks lock 0"], done.err


def test_the_content_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(progress=False)
    hub.pull(DEMO, "en")
    looked = Counter[str]()
    content = Layer.content

    def counted(layer: Layer, digest: str) -> object:
        looked[digest] += 1
        return content(layer, digest)

    monkeypatch.setattr(Layer, "content", counted)
    hub.pretrained(DEMO, "en")
    assert list(looked.values()) == [1]


def test_where_a_model_lies_is_what_pull_says() -> None:
    hub = Hub(progress=False)
    folder = hub.pull(DEMO, "en")
    classifier = hub.pretrained(DEMO, "en")
    assert classifier.path == folder
    assert folder.parent == Path(cache(), "contents")
    assert classifier.manifest.name == DEMO
