"""hub serve"""

from __future__ import annotations

import sys
from typing import Annotated, Any, cast

import typer

from hubclient.cli.options import CacheDir, Lang, Offline, References, hub_for

_MEBIBYTE = 1 << 20


def serve(
    refs: References,
    lang: Lang = None,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", metavar="PORT", min=0, max=65535, help="0 takes any that is free.")] = 8000,
    engine: Annotated[str | None, typer.Option("--engine", metavar="onnx|openvino|torch", help="What runs the models.")] = None,
    precision: Annotated[str | None, typer.Option("--precision", metavar="float32|bfloat16|int8", help="What it computes in.")] = None,
    device: Annotated[str | None, typer.Option("--device", metavar="cpu|cuda|cuda:1", help="Where it runs.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="How many cores to use, instead of all.")] = None,
    max_length: Annotated[int | None, typer.Option("--max-length", metavar="N", min=1, help="Tokens a text, at most.")] = None,
    batching: Annotated[bool, typer.Option(help="Run texts of several requests together, or each by itself.")] = True,
    max_body: Annotated[int, typer.Option("--max-body", metavar="MIB", min=1, help="MiB of a request, at most.")] = 2,
    max_texts: Annotated[int, typer.Option("--max-texts", metavar="N", min=1, help="Texts of a request, at most.")] = 256,
    max_characters: Annotated[int, typer.Option("--max-characters", metavar="N", min=1, help="Characters of a text, at most.")] = 20_000,
    queue: Annotated[
        int, typer.Option("--queue", metavar="N", min=1, help="Texts that wait, at most; above that, requests are refused.")
    ] = 4096,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Until an answer, at most.")] = 30,
    cache_dir: CacheDir = None,
    offline: Offline = False,
) -> None:
    """Answer over HTTP, until SIGTERM or Ctrl-C; what was asked by then is answered.

    POST /v1/predict takes {"texts": ["..."]}; GET /docs explains the rest, /healthz and /readyz are for orchestrators, /metrics for
    Prometheus. Whoever can reach the port can ask: nobody else can while HOST is this machine alone.
    """
    from hubclient.serve import Desk, Limits, run

    limits = Limits(body=max_body * _MEBIBYTE, texts=max_texts, characters=max_characters, queue=queue, seconds=timeout)
    hub = hub_for(cache_dir, offline)
    models = {}
    for ref in refs:
        models[ref] = hub.pretrained(
            ref,
            lang,
            task="text-classification",
            engine=engine,
            precision=cast(Any, precision),
            device=device,
            threads=threads,
            max_length=max_length,
        )
        models[ref]("It is ready.")
    run(Desk(models, limits, batching=batching), host=host, port=port, ready=_tell)


def _tell(address: str) -> None:
    print(f"answering on {address}, its page is {address}/docs", file=sys.stderr, flush=True)
