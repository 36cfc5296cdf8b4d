"""One report in the formats that people and CI servers read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hubclient.check.report import Report
from hubclient.check.reports.github import workflow_commands
from hubclient.check.reports.html import page
from hubclient.check.reports.junit import junit
from hubclient.check.reports.lines import json_lines
from hubclient.check.reports.markdown import markdown
from hubclient.check.reports.sarif import sarif
from hubclient.check.reports.table import HEADERS, rows, tabbed

__all__ = ["FORMATS", "HEADERS", "markdown", "rows", "workflow_commands"]

FORMATS: Mapping[str, Callable[[Report], str]] = MappingProxyType(
    {
        "table": tabbed,
        "json": json_lines,
        "junit": junit,
        "sarif": sarif,
        "github": workflow_commands,
        "markdown": markdown,
        "html": page,
    }
)
"""Each writes a report as a text that ends its last line."""
