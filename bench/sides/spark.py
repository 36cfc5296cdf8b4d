"""One way to classify texts: `MASTER FOLDER TEXTS`, `python` or Spark's master, the model's folder, and a file with the set "texts".

Says the labels, and the seconds from the texts to the labels in this process; the processes that run the model are there by then.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PARTITIONS = 8
_RUNS = 3
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Of a cluster: both executors are there before the first task.
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "300s",
    "spark.executor.memory": "512m",
}
Timed = Callable[[Sequence[str]], tuple[list[str], float]]


@contextmanager
def plain(folder: str) -> Iterator[Timed]:
    from hubclient import from_folder

    classifier = from_folder(folder)
    yield lambda texts: timed(lambda: list(classifier.predict(texts)))


@contextmanager
def spark(master: str, folder: str) -> Iterator[Timed]:
    """The texts are in memory, as those of `plain` are."""
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    from pyspark.sql import SparkSession

    from hubclient.spark import Classifier

    builder = SparkSession.builder.master(master)
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    session, stage = builder.getOrCreate(), Classifier(folder, outputCol="label")

    def classify(texts: Sequence[str]) -> tuple[list[str], float]:
        table = session.createDataFrame(list(enumerate(texts)), "number long, text string").repartition(_PARTITIONS).cache()
        table.count()

        def labels() -> list[str]:
            return list(stage.transform(table).select("number", "label").toPandas().sort_values("number")["label"])

        return timed(labels)

    yield classify
    session.stop()


def timed(classify: Callable[[], list[str]]) -> tuple[list[str], float]:
    start = time.perf_counter()
    labels = classify()
    return labels, time.perf_counter() - start


def main(master: str, folder: str, file: str) -> None:
    texts = json.loads(Path(file).read_text(encoding="utf-8"))["texts"]
    with plain(folder) if master == "python" else spark(master, folder) as classify:
        # A virtual machine becomes fast by what it has done: of the runs of either side, the last one counts.
        for _ in range(_RUNS):
            labels, seconds = classify(texts)
    print(json.dumps({"labels": labels, "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
