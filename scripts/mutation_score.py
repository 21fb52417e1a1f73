"""Print what `mutmut run` found and fail where too few mutants were killed.

A mutant that ran out of time or crashed the interpreter is not counted as killed: either can be
the machine's doing.
"""

import json
import subprocess
import sys
from pathlib import Path

LEAST_PERCENT = 90.0
STATISTICS = Path("mutants/mutmut-cicd-stats.json")


def main() -> int:
    """The exit code: 0 where enough were killed."""
    subprocess.run([sys.executable, "-m", "mutmut", "export-cicd-stats"], check=True)
    counts: dict[str, int] = json.loads(STATISTICS.read_text(encoding="utf-8"))
    total = counts.pop("total")
    told = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items() if count)
    percent = 100 * counts["killed"] / total if total else 0.0
    print(f"{percent:.1f} % of {total} mutants killed ({told}); at least {LEAST_PERCENT:.0f} %")
    print("`mutmut results` lists those that survived, `mutmut show NAME` shows one")
    return 0 if percent >= LEAST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
