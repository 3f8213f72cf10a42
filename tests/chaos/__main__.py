"""`python -m tests.chaos --runs N --seed S [--incidents N] [--report FILE]`: a campaign of scenarios.

With --unsafe, all of them are of the kind that cannot be made safe: an account that keeps no idempotency keys
and whose lists lag more than 5 s. Duplicates do not fail such a campaign; their rate is printed.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.figures import Figures, lines, rate_of_duplicates
from tests.chaos.run import Result, run
from tests.chaos.scenario import scenario
from tests.processes import reset_signals


def main() -> int:
    """Run the scenarios of consecutive seeds, print the figures, and return 1 if a promise was broken."""
    reset_signals()
    arguments = _parse_arguments()
    root, began, figures = Path(mkdtemp(prefix="chaos-")), time.monotonic(), Figures()
    broken = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        futures = [
            pool.submit(run, scenario(seed, arguments.incidents, unsafe=arguments.unsafe), root / str(seed))
            for seed in range(arguments.seed, arguments.seed + arguments.runs)
        ]
        for future in as_completed(futures):
            result = future.result()
            figures.add(result.figures)
            broken += bool(result.findings)
            _report(result, time.monotonic() - began)
    seconds = time.monotonic() - began
    print(lines(figures.wire(), seconds))
    if arguments.unsafe:
        print(rate_of_duplicates(figures))
    if arguments.report:
        report = {
            **figures.wire(),
            "seed": arguments.seed,
            "seconds": round(seconds),
            "runs that failed": broken,
        }
        arguments.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if broken else 0


def _parse_arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.chaos", description="Run scenarios with kills and faults.")
    parser.add_argument("--runs", type=int, default=10, help="how many scenarios (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first one (default: 0)")
    parser.add_argument("--incidents", type=int, default=60, help="incidents per scenario (default: 60)")
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at once (default: 2)")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="only accounts that keep no keys and list late: count duplicates",
    )
    parser.add_argument("--report", type=Path, help="write the figures to this JSON file")
    return parser.parse_args()


def _report(result: Result, seconds: float) -> None:
    """Print how a run ended, and remove its folder unless it broke a promise."""
    kills = result.figures.counts["kills"]
    print(
        f"{seconds:6.0f} s  seed {result.scenario.seed}: {kills} kills, {len(result.findings)} findings",
        flush=True,
    )
    if not result.findings:
        shutil.rmtree(result.folder, ignore_errors=True)
        return
    print(f"  {result.scenario}\n  kept in {result.folder}", flush=True)
    for each in result.findings[:10]:
        print(f"  - {each}"[:3000], flush=True)


if __name__ == "__main__":
    sys.exit(main())
