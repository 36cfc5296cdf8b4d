"""Lines of a live index, as Spark NLP writes them, to bend."""

from __future__ import annotations

import json
from typing import Any

INDEX = "s3://models.example.org/public/models/metadata.json"
ABSENT = object()


def fields(name: str = "bert_sst2", /, **changed: Any) -> dict[str, Any]:
    """`changed` replaces fields, ABSENT leaves one out."""
    said: dict[str, Any] = {
        "name": name,
        "language": "en",
        "libVersion": {"parts": [3, 3, 2]},
        "sparkVersion": {"parts": [3, 0]},
        "readyToUse": True,
        "time": "2021-11-01T13:52:51.318Z",
        "isZipped": True,
        "category": "ml",
        "checksum": "",
        "annotator": "BertForSequenceClassification",
    }
    return {key: value for key, value in {**said, **changed}.items() if value is not ABSENT}


def line(name: str = "bert_sst2", /, **changed: Any) -> bytes:
    return json.dumps(fields(name, **changed)).encode()
