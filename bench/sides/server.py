"""A server of one model: `FOLDER HOW`, the model's folder, and `batching` or `one-by-one`. Prints its address when it is ready."""

from __future__ import annotations

import sys


def main(folder: str, how: str) -> None:
    from hubclient import from_folder
    from hubclient.serve import Desk, run

    classifier = from_folder(folder)
    classifier("It is ready.")
    run(Desk({"model": classifier}, batching=how == "batching"), port=0, ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
