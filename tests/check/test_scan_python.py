"""Calls in Python: which functions are meant, and what their arguments are."""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.check.finding import Finding, Subject
from hubclient.check.scan.meaning import meant
from hubclient.check.scan.python import python_calls
from hubclient.check.scan.unreadable import Unreadable

SPARK = "from sparknlp.annotator import *\nfrom sparknlp.pretrained import *\n"


def found(code: str) -> list[str]:
    """References, and the names of rules."""
    sightings = [sighting for call in python_calls(code.encode()) for sighting in meant(call, "a.py")]
    return [sighting.reference if isinstance(sighting, Subject) else sighting.rule.name for sighting in sightings]


def finding(code: str) -> Finding:
    (only,) = (sighting for call in python_calls(code.encode()) for sighting in meant(call, "a.py"))
    assert isinstance(only, Finding)
    return only


@pytest.mark.parametrize(
    "code",
    [
        "from hubclient import pretrained\npretrained('a', 'en')",
        "from hubclient import pretrained as p\np('a', lang='en')",
        "from hubclient import *\npretrained('en/a')",
        "import hubclient\nhubclient.pretrained(name='a', lang='en')",
        "import hubclient as h\nh.pull('a', 'en')",
        "import hubclient.hub\nhubclient.hub.load('en/a')",
        "import hubclient.hub as h\nh.load(reference='en/a')",
        "from hubclient import Hub\nHub().pretrained('a', 'en')",
        "from hubclient.hub import Hub as H\nH(offline=True).pull('a', 'en')",
        "from hubclient import Hub\nhub = Hub()\ndef f():\n    return hub.load('en/a')",
        "from hubclient import Hub\nclass A:\n  def __init__(self):\n    self.it = Hub()\n  def f(self):\n    self.it.pull('en/a')",
        "from hubclient import Hub\ndef f(it: Hub):\n    it.pull('en/a')",
        "from hubclient import Hub\ndef f(it: Hub | None = None):\n    it.pull('en/a')",
        "from typing import Optional\nfrom hubclient import Hub\ndef f(it: Optional[Hub]):\n    it.load('en/a')",
        "from hubclient import Hub\nwith Hub() as it:\n    it.load('en/a')",
        "import hubclient\ndef f(hub):\n    hub.pull('en/a')",
        "import hubclient\ndef f(anything):\n    anything.pretrained('en/a')",
        "import hubclient\nopen_it = hubclient.pretrained\nopen_it('en/a')",
        "try:\n    from hubclient import pretrained\nexcept ImportError:\n    pretrained = None\npretrained('en/a')",
        "def f():\n    from hubclient import load\n    load('en/a')",
        "from .models import pretrained\nfrom hubclient import pull\npull('en/a')",
        "async def f():\n    import hubclient\n    return [hubclient.load('en/a') for _ in range(3)]",
        "import hubclient\n(lambda: hubclient.load('en/a'))()",
        "import hubclient\n@hubclient.load('en/a')\ndef f(): ...",
        "import hubclient\ndef f(x=hubclient.load('en/a')): ...",
        "import hubclient\nclass A(hubclient.load('en/a')): ...",
        "import hubclient\nmatch hubclient.load('en/a'):\n    case _: ...",
        "import hubclient\nprint(f'{hubclient.load(\"en/a\")}')",
        SPARK + "BertForSequenceClassification.pretrained('a', 'en')",
        SPARK + "WordEmbeddingsModel.pretrained('a')",
        SPARK + "BertForSequenceClassification.pretrained('a', remote_loc=None).setInputCols([])",
        SPARK + "BertForSequenceClassification().pretrained('a')",
        SPARK + "B = BertForSequenceClassification\nB.pretrained('a')",
        SPARK + "PretrainedPipeline('a', lang='en')",
        SPARK + "def f(annotator):\n    annotator.pretrained('a')",
        SPARK + "classes['bert'].pretrained('a')",
        "from sparknlp.annotator import NerDLModel as N\nN.pretrained(lang='en', name='a')",
        "import sparknlp\nsparknlp.annotator.NerDLModel.pretrained('a')",
        "import sparknlp.annotator as s\ns.NerDLModel.pretrained('a')",
        "from sparknlp_jsl.annotator import MedicalNerModel\nMedicalNerModel.pretrained('a', 'en', 'clinical/models')",
        "from johnsnowlabs import nlp\nnlp.NerDLModel.pretrained('a')",
        "from johnsnowlabs import nlp\nnlp.PretrainedPipeline('a')",
        "BertForSequenceClassification.pretrained('a')",
        "from .annotators import BertEmbeddings\nBertEmbeddings.pretrained('a')",
        "PretrainedPipeline('a', 'en')",
    ],
)  # fmt: skip
def test_every_way_to_load(code: str) -> None:
    assert found(code) == ["en/a"]


@pytest.mark.parametrize(
    "code",
    [
        "from transformers import AutoModel\nAutoModel.from_pretrained('a')\nAutoModel.pretrained('a')",
        "import timm\ntimm.create_model('a', pretrained=True)\ntimm.pretrained('a')",
        "import json, torch\njson.load(open('a'))\ntorch.load('a')\ntorch.hub.load('a/b', 'c')",
        "from somewhere import pretrained\npretrained('a')",
        "def pretrained(name): ...\npretrained('a')",
        "pretrained('a')\nload('a')",
        "from hubclient import pretrained\ndef f(pretrained):\n    pretrained('a')",
        "import hubclient\nclass A:\n  def pretrained(self): ...\n  def f(self):\n    self.pretrained('a')\n    super().pretrained('a')",
        "import hubclient\nclass A:\n  @classmethod\n  def pretrained(cls): ...\nA.pretrained('a')",
        "import hubclient, git\ngit.Repo().pull('origin')\nrepository.pull('origin')\nself.images.pull('a')",
        "import hubclient\n'hubclient.load(\"a\")'\n# hubclient.load('a')",
        "from hubclient import from_folder\nfrom_folder('./a')",
        SPARK + "x = Foo\nclass Own:\n    pass\nOwn.pretrained('a')",
        "from fastai.vision import *\nLearner.pretrained('a')",
        "from other.nlp import NerDLModel\nNerDLModel.pretrained('a')\nimport other\nother.nlp.PretrainedPipeline('a')",
        "import mlflow.nlu as n\nn.load('a')",
        "nlu.train.load('a')\nimport nlu\nnlu.spellbook('a')",
    ],
)  # fmt: skip
def test_what_others_call_alike(code: str) -> None:
    assert found(code) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("'a'", "a"),
        ("'a' 'b'", "ab"),
        ("'a' + 'b' + 'c'", "abc"),
        ("('a' + ('b'))", "ab"),
        ("f'a'", "a"),
        ("f'{NAME}_b' 'c'", "constant_bc"),
        ("NAME", "constant"),
        ("OTHER", "constant"),
        ("ONE", "one"),
        ("TYPED", "typed"),
        ("LOCAL", "local"),
        ("(walrus := 'w')", "dynamic-reference"),
        ("inner", "inner"),
        ("f'{NAME!r}'", "dynamic-reference"),
        ("f'{NAME:>9}'", "dynamic-reference"),
        ("f'{1}'", "dynamic-reference"),
        ("'a'.lower()", "dynamic-reference"),
        ("'%s' % NAME", "dynamic-reference"),
        ("'a' if NAME else 'b'", "dynamic-reference"),
        ("TWICE", "dynamic-reference"),
        ("ADDED", "dynamic-reference"),
        ("LOOPED", "dynamic-reference"),
        ("DELETED", "dynamic-reference"),
        ("GLOBAL", "dynamic-reference"),
        ("CIRCLE", "dynamic-reference"),
        ("IMPORTED", "dynamic-reference"),
        ("parameter", "dynamic-reference"),
        ("A.NAME", "dynamic-reference"),
        ("NOWHERE", "dynamic-reference"),
        ("b'a'", "dynamic-reference"),
        ("1", "dynamic-reference"),
        ("*names", "dynamic-reference"),
        ("**options", "dynamic-reference"),
        ("", "invalid-reference"),
        ("None", "invalid-reference"),
        ("''", "invalid-reference"),
        ("'a b'", "invalid-reference"),
        ("'a/b'", "invalid-reference"),
        ("'./a'", "local-path"),
        ("'hf:a/b'", "hf:a/b"),
        ("'s3://a/b.zip'", "s3://a/b.zip"),
    ],
)
def test_what_an_argument_is(expression: str, said: str) -> None:
    code = f"""
from elsewhere import IMPORTED
from hubclient import pretrained
NAME = "constant"
OTHER = NAME
(ONE, TWO) = ("one", "two")
TYPED: str = "typed"
TWICE = "a"
if OTHER:
    TWICE = "b"
ADDED = "a"
ADDED += "b"
for LOOPED in ["a"]: ...
DELETED = "a"
del DELETED
GLOBAL = "a"
CIRCLE = CYCLE
CYCLE = CIRCLE
class A:
    NAME = "in a class"
def f(parameter="a"):
    global GLOBAL
    GLOBAL = "b"
    LOCAL = "local"
    def g():
        nonlocal_ = LOCAL
        inner = "inner"
        pretrained({expression})
"""
    assert found(code) == [said]


def test_versions_and_revisions() -> None:
    code = "from hubclient import pretrained, load\n"
    assert found(code + "pretrained('a', 'fr', version='>=4')") == ["fr/a@>=4"]
    assert found(code + "load('hf:a/b', revision='abc')") == ["hf:a/b@abc"]
    assert found(code + "load('hf:a/b', version='3')") == ["invalid-reference"]
    assert found(code + "pretrained('a', version=x)") == found(code + "pretrained('a', **x)") == ["dynamic-reference"]
    assert found(code + "pretrained('a', 'en', engine=x, **y)") == ["en/a"]
    ((subject,),) = (meant(call, "a.py") for call in python_calls(f"{code}pretrained('a', source='hf', revision='b')".encode()))
    assert isinstance(subject, Subject)
    assert (subject.source, subject.revision) == ("hf", "b")


def test_spark_nlps_defaults() -> None:
    assert found(SPARK + "NerDLModel.pretrained()") == found(SPARK + "NerDLModel.pretrained(lang='fr')") == ["default-model"]
    assert "NerDLModel" in finding(SPARK + "NerDLModel.pretrained()").message
    assert found(SPARK + "NerDLModel.pretrained('a', lang=None)") == ["en/a"]
    assert found(SPARK + "NerDLModel.pretrained('a/b')") == found(SPARK + "NerDLModel.pretrained('a', 'ENGLISH')") == ["invalid-reference"]
    assert found(SPARK + "PretrainedPipeline('a', disk_location='./x')") == ["local-path"]


def test_nlu() -> None:
    code = "import nlu\n"
    assert found(code + "nlu.load('en.ner bert  sentiment').predict('x')") == ["en.ner", "bert", "sentiment"]
    assert found(code + "nlu.load('train.sentiment en.train.ner en.a')") == ["en.a"]
    assert found(code + "nlu.load(path='./x')") == ["local-path"]
    assert found(code + "nlu.load(x)") == ["dynamic-reference"]
    assert found(code + "nlu.load(' ')") == ["invalid-reference"]
    assert found(code + "nlu.load('a/b')") == ["unknown-nlu-reference"]
    assert found("from johnsnowlabs import nlp\nnlp.load('en.a')") == ["en.a"]


def test_the_place_of_a_call_is_that_of_its_name() -> None:
    code = (
        "from hubclient import pretrained\nx = '∂é'; y = [\n  'é', pretrained(\n'a')]\n"
        + SPARK
        + "(NerDLModel\n  .pretrained('a')\n  .x())"
    )
    assert [(call.line, call.column) for call in python_calls(code.encode())] == [(3, 8), (8, 4)]


def test_a_call_is_shown_on_one_line() -> None:
    shown = finding("import hubclient\nhubclient.load(\n    # which\n    name  +\n'x')")
    assert shown.subject.reference == "hubclient.load( # which name + 'x')"
    assert len(finding(f"import hubclient\nhubclient.load({'name + ' * 1000}x)").subject.reference) == 80


@pytest.mark.parametrize(
    "make",
    [
        lambda n: (
            "import hubclient\n" + "".join(f"a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, n // 20)) + f"hubclient.load(a{n // 20 - 1})"
        ),
        lambda n: (
            "".join(f"a{i} = a{i + 1}\na{i} = b{i + 1}\nb{i} = a{i + 1}\nb{i} = b{i + 1}\n" for i in range(n // 50)) + "a0.pretrained('x')"
        ),
        lambda n: "a" + ".b" * (n // 20) + ".pretrained('x')",
        lambda n: "a" + ".pretrained('x')" * 90,
        lambda n: "import hubclient\nhubclient.load(" + "+".join(["'a'"] * (n // 100)) + ")",
        lambda n: "import hubclient\n" + "hubclient.load('a')\n" * (n // 20),
        lambda n: "import hubclient\n[" + "hubclient.load('a')," * (n // 20) + "]",
        lambda n: "from hubclient import *\n" + "from sparknlp import *\n" * (n // 100) + "x.pretrained('a');" * 100,
        lambda n: "x = 1\n" * (n // 6) + "x.pretrained()\n",
    ],
)
def test_hostile_repetitions_take_linear_time(make: Callable[[int], str]) -> None:
    # Anything quadratic would run into the suite's time limit.
    start = time.monotonic()
    with suppress(Unreadable):
        list(python_calls(make(100_000).encode()))
    assert time.monotonic() - start < 20


@settings(deadline=None)
@given(st.text(alphabet="pretrained.()'\"=,+ \n\thub:[]{}*f\\é\r\0#%", max_size=120))
def test_any_text(text: str) -> None:
    code = f"from hubclient import pretrained\n{text}"
    try:
        # Here warnings are errors: an odd escape would be a syntax error.
        with warnings.catch_warnings(action="ignore"):
            ast.parse(code)
    except (SyntaxError, ValueError):
        with pytest.raises(Unreadable):
            list(python_calls(code.encode()))
        return
    found(code)
