"""`python -m tests.bench`."""

import argparse
import os
import platform
import shlex
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import ca, change, judge, memory, page, pods, scale, series, traffic, up
from tests.bench.effort import Effort, say
from tests.bench.result import Report

# In this order: on a busy machine the time may be over before the last.
PARTS: dict[str, Callable[[Report, Effort], None]] = {
    "up": up.measure,
    "pods": pods.measure,
    "traffic": traffic.measure,
    "memory": memory.measure,
    "change": change.measure,
    "judge": judge.measure,
    "ca": ca.measure,
    "scale": scale.measure,
    "series": series.measure,
    "page": page.measure,
}
_LIMIT_S = {False: 350.0, True: 112.0}  # of the whole run, full and quick; cleaning up comes on top


def main(argv: Sequence[str]) -> int:
    arguments = _arguments(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGALRM, _too_late)
    report = Report(command=shlex.join(("python", "-m", "tests.bench", *argv)), machine=_machine())
    began = time.monotonic()
    effort = Effort(quick=arguments.quick, ends_at=began + _LIMIT_S[arguments.quick])
    failed = False
    for name in [name for name in PARTS if name in arguments.parts] or PARTS:
        failed = not _measure(name, report, effort) or failed
    report.seconds = time.monotonic() - began
    print(report.json() if arguments.output == "json" else report.table())
    return 1 if failed else 0


def _measure(name: str, report: Report, effort: Effort) -> bool:
    """Measure a part; what goes wrong in it becomes a note, and the other parts go on."""
    left_s = effort.ends_at - time.monotonic()
    if left_s < 5:
        report.notes.append(f"{name}: left out, the time is over")
        return False
    say(f"{name} ...")
    signal.setitimer(signal.ITIMER_REAL, left_s)
    try:
        PARTS[name](report, effort)
    except subprocess.CalledProcessError as error:
        report.notes.append(f"{name}: {shlex.join(error.cmd)} failed: {(error.stderr or error.stdout).strip()[-600:]}")
    except Exception as error:  # noqa: BLE001 the other parts are still worth measuring
        report.notes.append(f"{name}: {type(error).__name__}: {error}")
    else:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return False


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="fewer samples, under two minutes")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return arguments


def _machine() -> dict[str, object]:
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in cpus if line.startswith("model name")), platform.machine())
    return {
        "CPUs": f"{len(os.sched_getaffinity(0))} x {model}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "kernel": platform.release(),
        "Python": platform.python_version(),
    }


def _interrupt(_signal: int, _frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


def _too_late(_signal: int, _frame: types.FrameType | None) -> None:
    raise TimeoutError("the time of the whole run is over")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
