"""Texts that tell tokenizers apart, the same ones on every run: scripts, emoji, controls, blanks, marks, long words, look-alikes.

They are drawn by `random.Random`, whose numbers stay the same in all versions of Python, so that expectations can be made elsewhere.
"""

# ruff: noqa: RUF001, E501 - letters that look like others are what it is about
from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_WORDS = """
I really liked that movie but the last one was awful and it is not what you would expect from a film of this kind What How Who
state-of-the-art don't can't we'll it's U.S. e.g. 3,000 1,2,3 12:30 50% $5.00 a@b.org http://x.y/z?q=1&r=2 C++ naïve café Ångström
L'été où l'élève œuvre ça Straße GROẞ ĲSSEL İstanbul ıssız ΣΊΣΥΦΟΣ σίσυφος Привет мир Ёлка ещё Київ
"""
_ALIKE = """
[CLS] [SEP] [MASK] [PAD] [UNK] [unused1] <s> </s> <pad> <unk> <mask> <sep> <cls> <eop> <eod> <s>NOTUSED <unk>NOTUSED [cls] <MASK>
▁ ▁the ##s ##ing Ġ Ġthe <0x0A> <0x41> <|endoftext|> [ CLS] <mask [MASK]] <<s>> @@ </w>
"""
WORDS, ALIKE = tuple(_WORDS.split()), tuple(_ALIKE.split())
EMOJI = ("😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇩", "❤️", "☺", "🤷🏿‍♀️", "1️⃣", "\U0001fae8", "™", "©")
MARKS = ("\u0301", "\u0308", "\u0323", "\u0327", "\u0489", "\u20dd", "\u064b", "\u093c", "\u3099", "\ufe0f", "\u0345", "\u1dc0")
BLANKS = (" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u1680", "\v", "\f", " \n ")
INVISIBLE = (
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u202e",
    "\x00",
    "\x01",
    "\x07",
    "\x1b",
    "\x7f",
    "\x9f",
    "\ufffd",
    "\ufffe",
)
QUOTES = (
    "``",
    "''",
    "'''",
    "`",
    "“",
    "”",
    "«",
    "»",
    "…",
    "...",
    "—",
    "--",
    "!!!",
    "?!",
    "¿",
    "・",
    "。",
    "、",
    "،",
    "।",
    "#",
    "$",
    "^",
    "~",
    "|",
)
COMPATIBLE = (
    "ﬁ",
    "ﬃ",
    "①",
    "Ⅷ",
    "㎏",
    "ｱ",
    "ﾞ",
    "Ａ",
    "１",
    "，",
    "½",
    "²",
    "㈱",
    "ﷺ",
    "𝔘",
    "𝟙",
    "ℝ",
    "K",
    "Å",
    "ſ",
    "ẛ̣",
    "가",
    "각",
    "ㄱ",
    "ᅡ",
)
# First and last letter of a script, and how many to draw.
SCRIPTS = (
    ("a", "z"), ("A", "Z"), ("À", "ÿ"), ("Ā", "ž"), ("Α", "ω"), ("А", "я"), ("א", "ת"), ("ء", "ي"), ("अ", "ह"), ("ก", "ฮ"), ("ぁ", "ん"),
    ("ァ", "ヶ"), ("一", "龠"), ("가", "힣"), ("Ա", "ֆ"), ("ა", "ჰ"), ("ሀ", "ፐ"), ("က", "အ"), ("𐌰", "𐍊"), ("𠀀", "𠁿"), ("0", "9"), ("!", "/"),
)  # fmt: skip


def texts(seed: str, count: int) -> Iterator[str]:
    source = random.Random(seed)
    for _ in range(count):
        parts = [source.choice(PARTS)(source) for _ in range(source.choice((0, 1, 2, 3, 5, 8, 13, 21)))]
        yield "".join(part + source.choice(("", " ", " ", " ", source.choice(BLANKS))) for part in parts)


def _word(source: random.Random) -> str:
    word = source.choice(WORDS)
    return source.choice((word, word, word.upper(), word.lower(), word.title(), word + ",", word + ".", f"({word})"))


def _of_script(source: random.Random) -> str:
    first, last = map(ord, source.choice(SCRIPTS))
    return "".join(chr(source.randrange(first, last + 1)) for _ in range(source.randrange(1, 12)))


def _anything(source: random.Random) -> str:
    drawn = (source.randrange(source.choice((0x100, 0x3000, 0x10000, 0x110000))) for _ in range(source.randrange(1, 4)))
    return "".join(chr(code) for code in drawn if not 0xD800 <= code < 0xE000)


def _marked(source: random.Random) -> str:
    letters = (chr(source.randrange(ord("a"), ord("z") + 1)) for _ in range(source.randrange(1, 5)))
    return "".join(letter + "".join(source.choice(MARKS) for _ in range(source.randrange(4))) for letter in letters)


def _long(source: random.Random) -> str:
    unit = source.choice((source.choice(WORDS), _of_script(source), source.choice("aeszA1!é日")))
    return (unit * 300)[: source.choice((20, 50, 99, 100, 101, 300))]


def _number(source: random.Random) -> str:
    return f"{source.randrange(10 ** source.randrange(1, 12)):,}" + source.choice(("", ",", ".", "%", "€", "th"))


def _one_of(choices: tuple[str, ...] | list[str]) -> Callable[[random.Random], str]:
    return lambda source: source.choice(choices)


PARTS: tuple[Callable[[random.Random], str], ...] = (
    *[_word] * 8,
    *[_of_script] * 4,
    *[_one_of(ALIKE)] * 2,
    _anything,
    _marked,
    _long,
    _number,
    *(_one_of(choices) for choices in (EMOJI, BLANKS, INVISIBLE, QUOTES, COMPATIBLE)),
)
