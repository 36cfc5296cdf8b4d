"""Who is let in, and that a card's text does nothing, whatever its author wrote."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect

from hubclient.web.guard import Door
from hubclient.web.markup import to_html
from tests.e2e.material import DEMO
from tests.web.browser import opened_tab
from tests.web.server import running_page

# One worker: a browser and a server are started for all tests of this file.
pytestmark = pytest.mark.xdist_group("safety")
MODEL = f"/model/en/{DEMO}"
EVIL = "bert_of_an_evil_author"


def ask(home: str, path: str, method: str = "GET", body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    content = json.dumps(body).encode() if body is not None else None
    return urllib3.request(
        method, home + path, headers={"content-type": "application/json", **told}, body=content, retries=False, timeout=120
    )


@pytest.fixture(scope="module")
def token(home: str) -> str:
    (found,) = re.findall(r'name="token" content="([^"]+)"', ask(home, "/").data.decode())
    return str(found)


def test_it_listens_to_this_machine_alone(home: str) -> None:
    port = urlsplit(home).port
    assert port
    # Another address of this very machine, which is no other way in.
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=2):
        pass


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.evil.example:{port}", "evil@127.0.0.1:{port}"])
@pytest.mark.parametrize("path", ["/", MODEL, "/static/common.js", "/search", "/notebook?ref=" + DEMO])
def test_another_name_does_not_lead_here(host: str, path: str, home: str) -> None:
    """DNS rebinding: a page of evil.example asks evil.example, which now has this machine's address."""
    said = ask(home, path, Host=host.format(port=urlsplit(home).port))
    assert said.status in (400, 403)
    assert b"token" not in said.data


@pytest.mark.parametrize(
    "path", ["/api/predict", "/api/pull", "/api/verify", "/api/remove", "/api/texts?ref=a&name=a.txt", "/", MODEL, "/store"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_changes_without_the_token(path: str, method: str, home: str) -> None:
    for headers in ({}, {"x_hub_token": "guessed"}, {"x_hub_token": ""}, {"Origin": home}, {"x_hub_token": "é"}):
        assert ask(home, path, method, {"ref": DEMO, "text": "a", "identity": "a"}, **headers).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
def test_nothing_changes_for_another_site(origin: str, home: str, token: str) -> None:
    question = {"ref": f"en/{DEMO}", "text": "a film"}
    assert ask(home, "/api/predict", "POST", question, x_hub_token=token, Origin=home).status == 200
    assert ask(home, "/api/predict", "POST", question, x_hub_token=token, Origin=origin).status == 403


@pytest.mark.parametrize("path", ["/api/predict", "/api/pull", "/api/verify", "/api/remove", "/api/texts"])
def test_no_state_changes_on_get(path: str, home: str) -> None:
    assert ask(home, path).status == 405


def test_another_site_cannot_read(home: str) -> None:
    assert ask(home, "/static/common.js", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert ask(home, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize("path", ["/", MODEL, "/store", "/static/style.css", "/nowhere", "/model/en/no_such_model"])
def test_every_answer_is_bound(path: str, home: str) -> None:
    said = ask(home, path).headers
    policy = dict(part.strip().split(" ", 1) for part in said["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in said


@pytest.mark.parametrize("ref", ["/etc/passwd", "./cards", "../x.zip", "~/x", "C:\\x", "file:///etc/passwd", "s3://", "", "a/b/c", "a b"])
def test_a_page_names_no_files(ref: str, home: str, token: str) -> None:
    assert urllib3.request("GET", f"{home}/open", fields={"ref": ref}, retries=False, timeout=120).status in (400, 404)
    for path in ("/api/pull", "/api/predict"):
        assert ask(home, path, "POST", {"ref": ref, "text": "a"}, x_hub_token=token).status in (400, 404)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"ref": 1}', b'{"ref": "a"}', b'{"ref": "a", "text": "' + b"a" * 200_000 + b'"}', b"\xff"]
)
def test_questions_that_make_no_sense(body: bytes, home: str, token: str) -> None:
    headers = {"content-type": "application/json", "x-hub-token": token}
    assert urllib3.request("POST", f"{home}/api/predict", body=body, headers=headers, retries=False, timeout=120).status in (400, 422)


@pytest.mark.parametrize("path", ["/?page=0", "/?page=x", "/search?sort=sideways&page=99999999", "/?page=²"])
def test_addresses_that_make_no_sense(path: str, home: str) -> None:
    assert urllib3.request("GET", home + path, retries=False, timeout=120).status in (200, 400)


def test_a_door() -> None:
    door = Door(frozenset({"127.0.0.1:80", "here:80"}))
    assert door.refusal("GET", {"host": "HERE:80"}) is None
    assert door.refusal("GET", {}) == "this name does not lead here"
    assert door.refusal("POST", {"host": "here:80", "x-hub-token": door.token}) is None
    assert Door(frozenset()).token != door.token


ATTACKS = [
    "<script>document.title = 'had'</script>",
    "<img src=x onerror=\"document.title='had'\">",
    "![a](http://evil.example/a.png)",
    '<img src="http://evil.example/b.png">',
    '<link rel="stylesheet" href="http://evil.example/c.css">',
    "<style>body { display: none } @import url(http://evil.example/d.css)</style>",
    '<div style="position:fixed;inset:0;background:url(http://evil.example/e.png)">cover</div>',
    "[click](javascript:document.title='had')",
    "[click](JaVaScRiPt:document.title='had')",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[click](vbscript:x)",
    "[click]( \x01javascript:document.title='had')",
    "[a]: javascript:document.title='had'\n\n[click][a]",
    "<javascript:document.title='had'>",
    '<iframe src="http://evil.example/f"></iframe>',
    '<svg><script>document.title="had"</script></svg>',
    '<form action="http://evil.example/g"><button>Pull</button></form>',
    '<base href="http://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=http://evil.example/h">',
    "<details open ontoggle=\"document.title='had'\">",
    '<a href="http://evil.example" onclick="document.title=\'had\'">x</a>',
    "{% raw %}{{ 7 * 7 }}{% endraw %} {{ 7 * 7 }}",
    '"><script>document.title="had"</script>',
    "`<script>document.title='had'</script>`",
    "```html\n</code></pre><script>document.title='had'</script>\n```",
    "| a |\n|---|\n| <script>document.title='had'</script> |",
    "[x](http://a\"onmouseover=\"document.title='had')",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=document.title='had'&gt;\">",
]


def evil_card(attack: str) -> str:
    """The attack in every field that a page shows."""
    one_line = json.dumps(" ".join(attack.split()), ensure_ascii=False)
    return f"""---
layout: model
title: {one_line}
name: {EVIL}
date: 2022-09-06
author: {one_line}
tags: [en, {one_line}]
task: {one_line}
language: en
edition: Spark NLP 4.1.0
spark_version: 3.0
annotator: BertForSequenceClassification
supported: true
---

## Description

{attack}

## Predicted Entities

`pos`, `<script>document.title='had'</script>`

{{:.btn-box}}
[Download](https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/{EVIL}_en_4.1.0_3.0_1662500997655.zip){{:.button}}
[Copy S3 URI](s3://auxdata.johnsnowlabs.com/public/models/{EVIL}_en_4.1.0_3.0_1662500997655.zip){{:.button}}

## How to use

```python
{attack.replace("```", "")}
```

## Results

{attack}

{{:.table-model}}
|---|---|
|Model Name:|{EVIL}|
|License:|{attack.replace("|", "/").replace(chr(10), " ")}|
|Size:|1.0 MB|

## References

{attack}

## Benchmarking

{attack}

## {" ".join(attack.split())}

{attack}
"""


@pytest.fixture(scope="module")
def evil_home(stocked: Path, tmp_path_factory: pytest.TempPathFactory, catalogue: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("evil")
    (folder / f"{EVIL}_en.md").write_text(evil_card("harmless"), encoding="utf-8")
    with running_page(tmp_path_factory.mktemp("cache"), "--cards", folder) as home:
        yield home, folder


def test_cards_that_attack(browser: Browser, evil_home: tuple[str, Path]) -> None:
    home, folder = evil_home
    for attack in ATTACKS:
        (folder / f"{EVIL}_en.md").write_text(evil_card(attack), encoding="utf-8")
        # The tab itself says whether another machine was asked, or the policy had to step in.
        with opened_tab(browser, home) as tab:
            page = tab.open(f"/model/en/{EVIL}")
            expect(page.get_by_role("heading", name="Description")).to_be_visible()
            for link in page.locator(".card-text a").all():
                assert re.match("https?://", link.get_attribute("href") or ""), attack
                assert link.get_attribute("rel") == "noopener noreferrer nofollow"
            kinds = page.evaluate("[...new Set([...document.querySelectorAll('.card-text *')].map((node) => node.localName))]")
            assert not set(kinds) & {"script", "style", "img", "link", "iframe", "form", "svg", "base", "meta", "object", "div"}, attack
            assert page.evaluate(_ODD_ATTRIBUTES) == [], attack
            assert page.locator("main iframe, main base, main meta, main link, main style, main script").count() == 0
            assert page.title() == EVIL
            found = tab.open("/?q=evil")
            expect(found.locator(".row")).to_have_count(1)
            assert found.title() != "had"


_ODD_ATTRIBUTES = """
[...document.querySelectorAll('main *')].flatMap((node) => [...node.attributes].map((attribute) => attribute.name))
  .filter((name) => name.startsWith('on') || name === 'style' || name === 'srcdoc')
"""


def test_the_policy_holds_where_the_sanitizer_would_not(browser: Browser, home: str) -> None:
    """What a hole would let through is not run either."""
    with opened_tab(browser, home) as tab:
        page = tab.open("/store")
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://evil.example/x.png\" onerror=\"document.title=1\">')"
        )
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = 2' }))")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=inked style=\"color: red\">x</p>')")
        page.wait_for_timeout(200)
        assert page.title() == "Store"
        assert page.evaluate("getComputedStyle(document.getElementById('inked')).color") != "rgb(255, 0, 0)"
        assert len(tab.problems) >= 3
        assert all("Content Security Policy" in problem for problem in tab.problems)
        tab.problems.clear()
        tab.requests[:] = [url for url in tab.requests if "evil.example" not in url]


_SEEDS = st.sampled_from(
    ["<", ">", "script", "[", "](", ")", "javascript:", "&#x6a;", "\n", "`", "|", " ", "a", "on", "=", '"', "'", "<!--", "\x00", "img"]
)


@given(st.lists(_SEEDS, max_size=40).map("".join))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_other_elements(text: str) -> None:
    html = str(to_html(text))
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z][^\s/>]*)", html))
    assert tags <= {"p", "br", "hr", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "a", "h3", "h4", "h5", "h6"} | {
        "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    # An empty one leads to the page itself.
    assert all(re.match("https?://|$", address, re.IGNORECASE) for address in re.findall(r'href="([^"]*)"', html))


def test_a_very_long_text_stays_letters() -> None:
    assert str(to_html("*" * 300_000)).startswith("<pre>")
    # Nesting that makes naive renderers slow.
    for text in ("[" * 50_000, "> " * 20_000 + "a", "*a " * 30_000, "`" * 99_999):
        to_html(text)
