"""Calls in Scala and Java: tokens, arguments, names."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubclient.cards import parse_card
from hubclient.cards.lint.calls import calls
from hubclient.check.finding import Subject
from hubclient.check.scan.jvm import jvm_calls
from hubclient.check.scan.meaning import meant
from hubclient.check.scan.tokens import tokens
from tests.cards.shared import CORPUS, corpus

IMPORT = "import com.johnsnowlabs.nlp.annotators._\n"
JAVA = "import com.johnsnowlabs.nlp.annotators.*;\n"


def found(source: str, *, scala: bool = True) -> list[str]:
    sightings = [sighting for call in jvm_calls(source, scala=scala) for sighting in meant(call, "a")]
    return [sighting.reference if isinstance(sighting, Subject) else sighting.rule.name for sighting in sightings]


@pytest.mark.parametrize(
    "call",
    [
        'X.pretrained("a")',
        'X.pretrained("a", "en")',
        'X.pretrained("a", lang = "en")',
        'X.pretrained(lang = "en", name = "a")',
        'X\n  .pretrained(\n    "a", // the name\n    /* , "fr" */ "en",\n  )',
        'X . pretrained ( ("a") )',
        'X.pretrained("""a""")',
        'X.pretrained(s"a")',
        'X.pretrained(raw"""a""", "en")',
        'X.pretrained[Map[String, List[Int]]]("a", "en")',
        'X.pretrained("\\u0061")',
        'val c = \'"\'; X.pretrained("a")',
        "val c = '\\''; X.pretrained(\"a\")",
        'val c = \'symbol; X.pretrained("a")',
        'val q = """a "quoted" \\"""; X.pretrained("a")',
        'val q = """quotes at the end""""; X.pretrained("a")',
        'val q = s"${f("}")} ${x}"; X.pretrained("a")',
        'val n = "a"; X.pretrained(n)',
        'val n: String = "a"\nX.pretrained(n)',
        'val m = "" + "a"\nval n =\n  m +\n    ""\nX.pretrained(n)',
        'final val N = "a"; def f() = X.pretrained(N, lang = "e" + "n")',
        'X.pretrained("a", "en", "public/models").setInputCols(Array("a", "b"))',
        'new PretrainedPipeline("a", lang = "en")',
        'PretrainedPipeline("a")',
        'PretrainedPipeline(downloadName = "a", "en")',
        'com.johnsnowlabs.nlp.annotators.X.pretrained("a")',
        'any.pretrained("a")',
        '`X`.pretrained("a")',
        '/* /* nested */ X.pretrained("no") */ X.pretrained("a")',
        '"unclosed\nX.pretrained("a")',
    ],
)
def test_every_way_in_scala(call: str) -> None:
    assert found(IMPORT + call) == ["en/a"]


@pytest.mark.parametrize(
    "call",
    [
        'X.pretrained("a", "en");',
        'var x = X.pretrained("a");',
        'X.<Map<String, List<X>>>pretrained("a", "en");',
        'final String n = "a"; X.pretrained(n, "en");',
        'static final String N = "" +\n "a"; void f() { X.pretrained(N, "en"); }',
        'var n = "a"; X.pretrained(n, "en");',
        'String s = """\n  X.pretrained("b")\n  """; X.pretrained("a");',
        'String n = """\n    a""";\n X.pretrained(n);',
        'X.pretrained("""\n   a\\\n   """);',
        'String s = """\n \\""" X.pretrained("b") """; X.pretrained("a");',
        'new PretrainedPipeline("a", "en");',
        '/* /* */ X.pretrained("a"); // */',
        "char c = '\"', d = '\\\\', e = '\\u0022'; X.pretrained(\"a\");",
        'Map<String, List<String>> m = new HashMap<>(); X.pretrained("a");',
    ],
)
def test_every_way_in_java(call: str) -> None:
    assert found(JAVA + call, scala=False) == ["en/a"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("X.pretrained(name)", ["dynamic-reference"]),
        ('X.pretrained(s"$a")', ["dynamic-reference"]),
        ('X.pretrained("a".trim)', ["dynamic-reference"]),
        ('X.pretrained(if (x) "a" else "b")', ["dynamic-reference"]),
        ('X.pretrained("a", language)', ["dynamic-reference"]),
        ('X.pretrained(names("a"), "en")', ["dynamic-reference"]),
        ('X.pretrained(f[Map[String, Int]]("a"), "en")', ["dynamic-reference"]),
        ('var n = "a"; X.pretrained(n)', ["dynamic-reference"]),
        ('val n = "a"; def f(n: String) = X.pretrained(n)', ["dynamic-reference"]),
        ('val n = "a"; { val n = "b" }; X.pretrained(n)', ["dynamic-reference"]),
        ('val n = "a"; for (n <- names) X.pretrained(n)', ["dynamic-reference"]),
        ('val n = "a"; names.map(n => X.pretrained(n))', ["dynamic-reference"]),
        ('val n = "a".trim; X.pretrained(n)', ["dynamic-reference"]),
        ("val a = b; val b = a; X.pretrained(a)", ["dynamic-reference"]),
        ("X.pretrained", ["default-model"]),
        ("X.pretrained()", ["default-model"]),
        ('X.pretrained().setInputCols("a")', ["default-model"]),
        ('X.pretrained(lang = "fr")', ["default-model"]),
        ('X.pretrained("a b")', ["invalid-reference"]),
        ("X.pretrained('a', \"en\")", ["dynamic-reference"]),
        ('X.pretrained("a"', ["en/a"]),
        ('X.pretrained("a" "b")', ["dynamic-reference"]),
        ('new PretrainedPipeline("a", diskLocation = Some("x"))', ["local-path"]),
        ('new PretrainedPipeline("a", diskLocation = None)', ["en/a"]),
        ('// X.pretrained("a")', []),
        ('/* X.pretrained("a")', []),
        ('"X.pretrained(\\"a\\")"', []),
        ("import a.b.pretrained", []),
        ("def pretrained(name: String) = 1", []),
        ('object X\nX.pretrained("a")', []),
        ('this.pretrained("a"); super.pretrained("a")', []),
        ('import org.other.X\nX.pretrained("a")', []),
        ('org.other.X.pretrained("a")', []),
        ('PretrainedPipeline.fromDisk("a"); class PretrainedPipeline(x: String)', []),
    ],
)
def test_what_a_call_says_in_scala(source: str, said: list[str]) -> None:
    assert found(IMPORT + source) == said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("X.pretrained(name);", ["dynamic-reference"]),
        ('String n = "a"; n = "b"; X.pretrained(n);', ["dynamic-reference"]),
        ('String n = "a"; void f(String n) { X.pretrained(n); }', ["dynamic-reference"]),
        ('final String n = f("a"); X.pretrained(n);', ["dynamic-reference"]),
        ('import org.other.X; class A { Object a = X.pretrained("a"); }', []),
    ],
)
def test_what_a_call_says_in_java(source: str, said: list[str]) -> None:
    assert found(JAVA + source, scala=False) == said


def test_names_from_elsewhere() -> None:
    assert found('NerDLModel.pretrained("a"); Learner.pretrained("b")') == ["en/a"]
    assert found('import com.johnsnowlabs.nlp.annotators.{A, B => C, D as E}\nC.pretrained("a"); E.pretrained("b")') == ["en/a", "en/b"]
    assert found('import com.johnsnowlabs.nlp.X as Y\nY.pretrained("a")') == ["en/a"]
    (call,) = jvm_calls('import com.johnsnowlabs.nlp.{NerDLModel => N}\n\n val x = N.pretrained("a")', scala=True)
    assert (call.line, call.column, call.annotator, call.code) == (3, 12, "NerDLModel", 'N.pretrained("a")')


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "X.pretrained(" * (n // 13),
        lambda n: "X.pretrained(" + "(" * n,
        lambda n: "X" + ".pretrained" * (n // 11),
        lambda n: ">pretrained" * (n // 11),
        lambda n: '"' * n,
        lambda n: '"""' + '\\"""' * (n // 4),
        lambda n: 's"${' * (n // 4),
        lambda n: 's"""${"' * (n // 7),
        lambda n: "/*" * (n // 2),
        lambda n: "'" * n,
        lambda n: "\\" * n,
        lambda n: "import a.{" * (n // 10),
        lambda n: "".join(f"val a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, n // 20)) + f"X.pretrained(a{n // 20 - 1})",
        lambda n: 'val a = ""' + ' + ""' * (n // 5) + "\n" + "X.pretrained(a)\n" * 1000,
    ],
)
def test_hostile_repetitions_take_linear_time(make: Callable[[int], str]) -> None:
    # Anything quadratic would run into the suite's time limit.
    start = time.monotonic()
    for scala in (True, False):
        list(jvm_calls(make(100_000), scala=scala))
    assert time.monotonic() - start < 20


@settings(deadline=None)
@given(st.text(alphabet="pX.()[]{}<>'\"=,+ \n/*$\\u0a:;s`é\r\0", max_size=120), st.booleans())
def test_any_text(text: str, scala: bool) -> None:
    found(f'X.pretrained({text}\nY.pretrained("b")', scala=scala)
    last = 0
    for token in tokens(text, scala=scala):
        assert last <= token.start < token.end <= len(text)
        last = token.end


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
def test_the_code_on_real_cards() -> None:
    """What a search for words finds is found, but where quotes are not Scala's."""
    looked = 0
    missed = []
    for text, known in islice(corpus(), 0, None, 10):
        code = parse_card(text, path=known["path"]).how_to_use.get("scala", "")
        if "pretrained('" not in code and "='" not in code:
            references = " ".join(found(IMPORT + code))
            looked += 1
            missed += [(known["path"], call.name) for call in calls(code) if f"/{call.name}" not in references]
    assert looked > 1000
    assert missed == []
