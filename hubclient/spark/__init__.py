"""Classifiers in Spark: `Classifier` is a Transformer of Spark ML, for its pipelines. No JVM library is needed besides Spark itself."""

from __future__ import annotations

from hubclient.errors import MissingExtra

try:
    import pyarrow  # noqa: F401 - what Spark exchanges batches by
    import pyspark.ml  # noqa: F401
except ImportError as error:
    raise MissingExtra("spark", "hubclient.spark") from error

from hubclient.spark.transformer import Classifier

# Saved pipelines name the class by its module: by this one, wherever its code is.
Classifier.__module__ = __name__

__all__ = ["Classifier"]
