"""Run the benchmarks of one area or of all, and print a table or one JSON document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from tests.bench.machine import describe
from tests.bench.measuring import Measurement

HERE = Path(__file__).resolve().parent
AREAS = sorted(path.name for path in HERE.iterdir() if (path / "__init__.py").exists())


def benchmarks(area: str) -> Iterator[ModuleType]:
    """The modules of an area that measure something, in the order of their file names."""
    for entry in iter_modules([str(HERE / area)]):
        module = import_module(f"tests.bench.{area}.{entry.name}")
        if hasattr(module, "measure"):
            yield module


def run(areas: list[str], quick: bool) -> Iterator[Measurement]:
    for area in areas:
        for module in benchmarks(area):
            print(f"{module.NAME} ...", file=sys.stderr, flush=True)
            yield module.measure(quick)


def table(results: list[Measurement], quick: bool) -> str:
    lines = ["quick: less work, figures are only a sign of life", ""] if quick else []
    lines += [f"{'benchmark':<24}{'value':>16}  {'unit':<26}{'spread':>7}"]
    lines += [
        f"{r.name:<24}{r.value:>16,.4g}  {r.unit:<26}{r.spread:>6.0%}"
        if r.value < 1000
        else f"{r.name:<24}{r.value:>16,.0f}  {r.unit:<26}{r.spread:>6.0%}"
        for r in results
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("area", nargs="?", choices=AREAS, help="all of them unless given")
    parser.add_argument("--quick", action="store_true", help="less work; a sign of life")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    results = list(run([options.area] if options.area else AREAS, options.quick))
    if options.json:
        document = {
            "quick": options.quick,
            "machine": describe(),
            "results": [result.as_dict() for result in results],
        }
        print(json.dumps(document, indent=2))
    else:
        print(table(results, options.quick))


if __name__ == "__main__":
    main()
