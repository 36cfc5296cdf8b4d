"""Another process: loads a saved pipeline in a local cluster of two executors, and says what it answers, and where.

    python again.py PIPELINE TEXTS

TEXTS is a JSON list. Prints JSON: of each text the annotations' results and the selected labels; of each process that answers where it
runs, how often it opened a model, and which weights it has mapped.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLUSTER = {
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "300s",
    "spark.locality.wait": "0",
}


def who(batches: Iterator[Any]) -> Iterator[Any]:
    import pyarrow as pa

    from hubclient.spark.shipment import open_shipment

    for batch in batches:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
        mapped = sorted({line.split(maxsplit=5)[5] for line in lines if line.endswith("model.safetensors")})
        told = {"executor": os.getppid(), "process": os.getpid(), "opened": open_shipment.cache_info().misses, "mapped": mapped}
        yield pa.RecordBatch.from_arrays([pa.array([json.dumps(told)] * batch.num_rows)], names=["who"])


def main(saved: str, texts: str) -> None:
    from pyspark.ml import PipelineModel
    from pyspark.sql import SparkSession

    from tests.spark.sessions import SETTINGS

    builder = SparkSession.builder.master("local-cluster[2,1,2048]")
    for name, value in {**SETTINGS, **CLUSTER}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    data = session.createDataFrame([[text] for text in json.loads(texts)], "text string").repartition(4)
    answered = PipelineModel.load(saved).transform(data).cache()
    rows = [[row["text"], [one["result"] for one in row["category"]], row["selected"]] for row in answered.collect()]
    told = {row["who"] for row in answered.mapInArrow(who, "who string").collect()}
    print(json.dumps({"rows": rows, "who": [json.loads(one) for one in told]}))
    session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
