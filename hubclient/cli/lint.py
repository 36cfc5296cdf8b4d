"""hub lint"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hubclient.cli.options import Json
from hubclient.cli.output import counting, print_json

if TYPE_CHECKING:
    from hubclient.cards.lint import Rule
    from hubclient.catalog.lint import Report

_FOUND = 1  # the exit code

Codes = list[str] | None


def lint(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Cards, folders of cards, or '-' for a card on stdin.")],
    select: Annotated[Codes, typer.Option("--select", metavar="CODES", help="Apply only these rules: C701, or C1,C2 for groups.")] = None,
    ignore: Annotated[Codes, typer.Option("--ignore", metavar="CODES", help="Do not apply these rules.")] = None,
    json: Json = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print a SARIF 2.1.0 log.")] = False,
) -> None:
    """Tell the authors of model cards what is wrong with them.

    One finding a line: file, line, rule. The exit code is 1 if there are errors or warnings, and 0 if there is nothing or only notes.
    docs/lint.md explains every rule.
    """
    from hubclient.catalog.lint import lint_paths

    if json and sarif:
        raise typer.BadParameter("take one of the two", param_hint="--json, --sarif")
    rules = _rules(select, ignore)
    with counting("cards", results_follow=True) as advance:
        report = lint_paths(paths, stdin=sys.stdin.buffer, rules=rules, advance=advance)
    if sarif:
        print_json(_sarif(report, rules))
    elif json:
        for finding in report.findings:
            print_json(finding.to_dict())
    else:
        _print_findings(report)
    print(_summary(report), file=sys.stderr)
    if any(finding.counts for finding in report.findings):
        raise typer.Exit(_FOUND)


def _rules(select: Codes, ignore: Codes) -> frozenset[Rule]:
    from hubclient.cards.lint import ALL_RULES

    return (_named(select) if select else ALL_RULES) - _named(ignore or [])


def _named(written: list[str]) -> frozenset[Rule]:
    """The rules of codes, of the beginnings of codes, and of names. Raises UsageError."""
    from hubclient.cards.lint import RULES
    from hubclient.errors import UsageError

    found: set[Rule] = set()
    for word in (word.strip() for words in written for word in words.split(",")):
        meant = {rule for rule in RULES if word and (rule.code.startswith(word.upper()) or rule.name == word)}
        if not meant:
            raise UsageError(
                f"no rule is called '{word}'", hint=f"write a code from {RULES[0].code} to {RULES[-1].code}, or how some begin"
            )
        found |= meant
    return frozenset(found)


def _print_findings(report: Report) -> None:
    """For a person with advice, the findings of a file together; in a pipe as compilers print, which editors and CI servers read."""
    from hubclient.cards.lint import harmless

    last = None
    for finding in report.findings:
        path, rule = harmless(finding.path), finding.rule
        if not sys.stdout.isatty():
            print(f"{path}:{finding.line}:1: {rule.severity}: {rule.code} {finding.message}")
            continue
        if last not in (None, path):
            print()
        last = path
        print(f"{path}:{finding.line}: {rule.severity} {rule.code} {finding.message}\n    try: {finding.hint}")


def _summary(report: Report) -> str:
    cards = _count(report.cards, "card")
    if not report.findings:
        return f"{cards}: nothing found"
    levels = Counter(finding.rule.severity for finding in report.findings)
    told = [_count(levels[level], level) for level in ("error", "warning", "note") if levels[level]]
    return f"{cards}: {', '.join(told)} in {_count(len({finding.path for finding in report.findings}), 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _sarif(report: Report, rules: frozenset[Rule]) -> dict[str, Any]:
    from hubclient import __version__
    from hubclient.sarif import SarifResult, SarifRule, sarif_log

    told = [
        SarifRule(rule.code, rule.name, rule.severity, rule.summary, f"{rule.summary}\n{rule.mend}")
        for rule in sorted(rules, key=lambda rule: rule.code)
    ]
    results = [SarifResult(item.rule.code, f"{item.message}; {item.hint}", _relative(item.path), item.line) for item in report.findings]
    return sarif_log(told, results, tool="hubclient", version=__version__)


def _relative(path: str) -> str:
    """Relative to where the command runs, if it lies there; in a checkout that is its root."""
    import os

    if not os.path.isabs(path):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
