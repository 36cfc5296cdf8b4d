"""The page about the server's paths: made from the OpenAPI description, and nothing on it comes from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi.responses import HTMLResponse

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff }
h2 { margin-top: 2rem; border-top: 1px solid #ccc; padding-top: 1rem } code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { background: #f4f4f4; padding: .75rem; overflow: auto } table { border-collapse: collapse } td { padding: .1rem 1rem .1rem 0 }
td { vertical-align: top }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_of(description: Mapping[str, Any]) -> HTMLResponse:
    html = "\n".join(_lines(description))
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"})


def _lines(description: Mapping[str, Any]) -> Iterator[str]:
    facts = description["info"]
    title = escape(f"{facts['title']} {facts['version']}")
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    yield f"<h1>{title}</h1><p>{escape(facts['description'])}"
    yield 'The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield from _operation(path, method, operation)
    yield "<h2>Forms</h2>"
    for name, schema in description.get("components", {}).get("schemas", {}).items():
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3>{_code(schema)}'
    yield "</html>"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2><p>{escape(operation.get('description', ''))}</p>"
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>The body, {escape(kind)}:</p>{_code(content['schema'])}"
    yield "<table>"
    for status, answer in operation["responses"].items():
        yield f"<tr><td>{escape(status)}<td>{escape(answer['description'])}<td>{_form_of(answer)}"
    yield "</table>"


def _form_of(answer: Mapping[str, Any]) -> str:
    schemas = (content.get("schema", {}).get("$ref", "") for content in answer.get("content", {}).values())
    names = [reference.rpartition("/")[2] for reference in schemas if reference]
    return " ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names)


def _code(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
