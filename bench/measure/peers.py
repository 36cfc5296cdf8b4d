"""Programs and libraries that we are held against, each in an environment of its own: none sees our versions, nor we theirs."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from measure.material import ROOT

_HOME = ROOT / ".venv-peers"


def peer(requirement: str) -> Path:
    """The folder of executables of an environment with this requirement (NAME==VERSION); made when it is not there."""
    folder = _HOME / requirement.replace("==", "-")
    place = folder / ("Scripts" if sys.platform == "win32" else "bin")
    done = folder / "installed"
    if not done.exists():
        print(f"installing {requirement}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        command = [str(place / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"{requirement} cannot be installed:\n{made.stderr.strip()}")
        done.touch()
    return place
