"""Write the table in docs/supported.md: every family, what its archives and repositories may hold, and what opens it.

python tools/supported.py            prints the table
python tools/supported.py --write    puts it into the page
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from hubclient.convert.annotators import ANNOTATORS, Task
from hubclient.models import FAMILIES
from hubclient.models.tokenizer_kinds import KINDS

PAGE = Path(__file__).parents[1] / "docs" / "supported.md"
_MARKED = re.compile(r"(<!-- table -->\n).*?(<!-- end -->)", re.DOTALL)
_TASKS: dict[Task, str] = {"text-classification": "texts", "zero-shot-classification": "zero-shot", "token-classification": "tokens"}


def table() -> str:
    """Markdown: a row a family, in the order of their names."""
    rows = [
        "| family | annotators | TensorFlow archives | ONNX archives | Hugging Face | tokenizer | engines |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *(_row(model_type) for model_type in sorted(FAMILIES))]) + "\n"


def _row(model_type: str) -> str:
    own = {name: annotator for name, annotator in ANNOTATORS.items() if annotator.model_type == model_type}
    stems = sorted({name.partition("For")[0] for name in own})
    tasks = [label for task, label in _TASKS.items() if any(annotator.task == task for annotator in own.values())]
    engines = {engine for annotator in own.values() for engine in annotator.engines}
    annotators = f"`{stems[0]}For…`: {', '.join(tasks)}" if stems else "in BERT's archives"
    yes = {True: "yes", False: "no"}
    held = (yes[not own or engine in engines] for engine in ("tensorflow", "onnx"))
    return f"| `{model_type}` | {annotators} | {' | '.join(held)} | yes | {KINDS[model_type].tokenizer_class} | onnx, openvino, torch |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the table of docs/supported.md.")
    parser.add_argument("--write", action="store_true", help="put it into the page")
    if parser.parse_args().write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_MARKED.sub(lambda match: match[1] + table() + match[2], page), encoding="utf-8")
    else:
        print(table(), end="")


if __name__ == "__main__":
    main()
