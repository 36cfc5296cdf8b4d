"""Where the pages of the bundled index's cards are: it has their facts, and not their prose."""

from __future__ import annotations

import re

# The hub's own site, and how it makes a page's address from the name of its file (Jekyll's "date" permalinks).
_SITE = "https://sparknlp.org/{}/{}/{}/{}.html"
_POST = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(.+)\.md")


def page_address(file: str) -> str | None:
    """`file`: the card's path in its documentation."""
    match = _POST.fullmatch(file.rpartition("/")[2])
    return _SITE.format(*match.groups()) if match else None
