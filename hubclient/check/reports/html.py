"""A report as one page: no script, nothing that is fetched from elsewhere, light and dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from hubclient import __version__
from hubclient.cards.lint import harmless
from hubclient.check.finding import Finding
from hubclient.check.report import Report, Result
from hubclient.check.reports.table import placed

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --dim: #59636e; --page: #fff; --line: #d8dee4; --soft: #f6f8fa;
  --bad: #b42318; --doubt: #8a5a00; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --dim: #9198a1; --page: #0d1117; --line: #30363d; --soft: #161b22;
    --bad: #ff7b72; --doubt: #e3b341; --good: #56d364; }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 .25rem }
p { margin: 0; color: var(--dim) }
ul.counts { display: flex; flex-wrap: wrap; gap: .75rem; list-style: none; margin: 1.5rem 0; padding: 0 }
ul.counts li { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; min-width: 7rem; background: var(--soft) }
ul.counts b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums }
details { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; overflow: hidden }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; background: var(--soft) }
summary small { font-size: .9rem; font-weight: 400; color: var(--dim) }
table { border-collapse: collapse; table-layout: fixed; width: 100%; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .5rem 1rem; border-top: 1px solid var(--line); overflow-wrap: anywhere }
th { color: var(--dim); font-weight: 600; width: 30% }
th + th { width: 24% }
th + th + th { width: 46% }
code { font: .85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace }
td small { display: block; color: var(--dim) }
.bad { color: var(--bad) } .doubt { color: var(--doubt) } .good { color: var(--good) }
@media (max-width: 44rem) {
  thead { display: none }
  table, tbody, tr, td { display: block }
  td { padding: .1rem 1rem; border: 0 }
  td:first-child { border-top: 1px solid var(--line); padding-top: .6rem }
  td:last-child { padding-bottom: .6rem }
}
@media print { details { break-inside: avoid } }
"""
_COLOURS = {"available": "good", "unknown": "doubt", "note": "", "accepted": ""}
_SAID = {
    "gone": "The service, or the catalogue, says that there is no such model.",
    "forbidden": "The service refuses to give it.",
    "changed": "It is there, and is not what it was or is said to be.",
    "invalid": "Nothing can be done with it.",
    "unknown": "Nobody could tell: run the check again later.",
    "note": "For your information; nothing of it counts.",
    "available": "Everything that was looked at is as it should be.",
}


def page(report: Report) -> str:
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>Models: {escape(report.summary())}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f"<h1>{_headline(report)}</h1>"
    yield (
        f"<p>hubclient {escape(__version__)}, level {escape(report.level)}{', strict' if report.strict else ''}, "
        f"{report.started.strftime('%Y-%m-%d %H:%M')} UTC, {report.seconds:.1f} s</p>"
    )
    yield '<ul class="counts">'
    for verdict, count in report.counts.items():
        yield f'<li><b class="{_COLOURS.get(verdict, "bad")}">{count:,}</b>{verdict}</li>'
    if report.accepted:
        yield f"<li><b>{len(report.accepted):,}</b>accepted</li>"
    yield "</ul>"
    for verdict in report.counts:
        is_open = verdict not in ("available", "note") or len(report.counts) == 1
        yield from _section(verdict, [result for result in report.results if result.verdict == verdict], is_open=is_open)
    if report.accepted:
        yield from _details("accepted", "Known findings, which do not count.", len(report.accepted), map(_row, report.accepted))
    yield "</body>\n</html>"


def _headline(report: Report) -> str:
    return {0: "All models are fine", 1: "Some models need attention", 3: "Some models could not be checked"}[report.exit_code]


def _section(verdict: str, results: list[Result], *, is_open: bool) -> Iterator[str]:
    rows = (_row(finding) for result in results for finding in result.findings)
    yield from _details(verdict, _SAID[verdict], len(results), rows, is_open=is_open)


def _details(title: str, said: str, count: int, rows: Iterator[str], *, is_open: bool = False) -> Iterator[str]:
    yield f"<details{' open' if is_open else ''}>"
    yield f'<summary><span class="{_COLOURS.get(title, "bad")}">{title}</span> {count:,} <small>{escape(said)}</small></summary>'
    yield "<table><thead><tr><th>Model<th>Place<th>What was found</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></details>"


def _row(finding: Finding) -> str:
    where = f"<small><code>{_text(finding.where)}</code></small>" if finding.where else ""
    mend = f"<small>{_text(finding.rule.mend)}</small>" if finding.rule.severity != "none" else ""
    return (
        f"<tr><td><code>{_breakable(finding.subject.reference)}</code><td><code>{_text(placed(finding.subject.place))}</code>"
        f"<td>{_text(finding.message)} <small>{finding.rule.code} {finding.rule.name}</small>{where}{mend}</tr>"
    )


def _breakable(name: str) -> str:
    """Long names of models break after a word of theirs."""
    return _text(name).replace("_", "_<wbr>")


def _text(text: str) -> str:
    return escape(harmless(text))
