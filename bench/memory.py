"""Whether memory stays flat: private memory of a process that classifies a stream of short lines, from its beginning to its end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import linear_regression

from measure.material import ROOT, native_folder, parser
from measure.report import Row, as_megabytes, publish
from measure.rounds import Side, python, run

# At first the allocator finds out how much it needs, a step now and then.
_SETTLED = 0.3
# Bytes a line: what a line of 30 letters would take if it were kept.
_FLAT = 1.0


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--archive", type=Path, help="the model (default: the embedded one)")
    options.add_argument("--lines", type=int, default=1_000_000, help="how many (default: %(default)s)")
    asked = options.parse_args()
    (embedded,) = (ROOT / "mirror").rglob("*.zip")
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(asked.archive or embedded, Path(folder))
        said = run(Side("stream", python("stream.py", model, asked.lines))).said
    settled = [(lines, size) for lines, size in said["sizes"] if lines >= _SETTLED * asked.lines]
    slope = linear_regression(*zip(*settled, strict=True)).slope
    what = f"{asked.lines:,} lines, {said['rate']:,.0f} a second"
    rows = [
        Row(f"{what}: private memory, at most", as_megabytes(max(size for _, size in settled)), "", "", ""),
        Row(f"{what}: its slope", f"{slope:+.3f} bytes a line", "", "", f"{slope:+.3f}", f"<= {_FLAT:g} byte a line", slope <= _FLAT),
    ]
    publish("memory", rows, as_json=asked.json)


if __name__ == "__main__":
    main()
