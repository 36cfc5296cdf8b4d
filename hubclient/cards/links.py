"""The addresses in a card's body: the archive, the Hugging Face repository it came from, the NLU references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_DOWNLOAD = re.compile(r"\[Download\]\([ \t]*([^()\s]+)[ \t]*\)")
_S3_URI = re.compile(r"\[Copy S3 URI\]\([ \t]*([^()\s]+)[ \t]*\)")
_NLU_LOAD = re.compile(r"""\bnlu\.load\([ \t]*(\"{3}|'{3}|"|')(.*?)\1""")
_HUGGING_FACE = re.compile(r"(?<![\w.-])(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.%-]+)(?:/([\w.%-]+))?")
# First segments of huggingface.co addresses that are parts of the site and no owners of models.
_SITE = re.compile(
    r"api|autotrain|blog|chat|collections|competitions|contact|course|datasets|docs|enterprise|front|inference(?:-api|-endpoints)?|join"
    r"|landing|learn|login|logout|models|new|organizations|papers|posts|pricing|privacy|search|security|settings|spaces|storage|support"
    r"|tasks|terms-of-service|transformers|welcome"
)
# Repositories without an owner are as old as the hub itself; no new ones can be made, and these families are all of them.
_WITHOUT_OWNER = re.compile(r"(?:albert|bert|camembert|ctrl|distil|gpt2|openai-gpt|roberta|t5|transfo-xl|xlm|xlnet)[\w.-]*")


def download_url(text: str) -> str | None:
    return next((match[1] for match in _matches(_DOWNLOAD, "[Download](", text)), None)


def s3_uri(text: str) -> str | None:
    return next((match[1] for match in _matches(_S3_URI, "[Copy S3 URI](", text)), None)


def nlu_refs(text: str) -> tuple[str, ...]:
    """What the card loads with NLU, in order, each once. A reference may end in a dot, hold spaces, be empty, stand for several models."""
    return _once(match[2] for match in _matches(_NLU_LOAD, "nlu.load(", text))


def hugging_face_repos(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The model repositories linked to, in order, each once: those with an owner, and those without."""
    owned: list[str] = []
    bare: list[str] = []
    for match in _matches(_HUGGING_FACE, ".co/", text):
        owner, repo = match[1].rstrip(".-"), (match[2] or "").rstrip(".-")
        if _SITE.fullmatch(owner):
            continue
        if repo:
            owned.append(f"{owner}/{repo}")
        elif _WITHOUT_OWNER.fullmatch(owner):
            bare.append(owner)
    return _once(owned), _once(bare)


def _matches(pattern: re.Pattern[str], mark: str, text: str) -> Iterator[re.Match[str]]:
    """The pattern's matches in the lines that hold `mark`, which is many times faster to find."""
    at = text.find(mark)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        yield from pattern.finditer(text, start, len(text) if end < 0 else end)
        at = text.find(mark, end) if end >= 0 else -1


def _once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
