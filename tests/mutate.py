"""A mutation run: small mistakes are put into a file, one at a time, and for each of them a test should fail.

    pip install -e '.[mutation]'
    python -m tests.mutate autograd/sweep.py tests/autograd/test_graph.py --sample 40

Mutants are made and run by cosmic-ray, in a copy of the project, so that the files here are left alone. Those that no
test noticed are printed as differences. mutmut 3 is no choice here: it changes the bodies of functions only, and the
rules of the operation table are lambdas in a module.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Numbers here are floats: operators on bits only raise TypeErrors, and ``|`` stands in annotations.
EXCLUDED = [
    "core/ReplaceBinaryOperator_.*_(BitOr|BitAnd|BitXor|LShift|RShift)",
    "core/ReplaceBinaryOperator_BitOr_.*",
    "core/ReplaceUnaryOperator_.*_Invert",
    "core/ReplaceComparisonOperator_.*_(Is|IsNot)",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description="mutate a file, run tests")
    parser.add_argument("file", help="the file to mutate, for example autograd/sweep.py")
    parser.add_argument("tests", nargs="*", default=["tests"], help="the tests that should notice; the default is all")
    parser.add_argument("--sample", type=int, help="try that many mutants, chosen at random, instead of all")
    parser.add_argument("--seed", type=int, default=0, help="of the choice")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one mutant, which may run for ever")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                copy.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        sys.exit(run(copy, chosen) > 0)


def run(copy: Path, chosen: argparse.Namespace) -> int:
    """Run the mutants of one file in a copy of the project; the number of those that no test noticed."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    test = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen.tests]
    settings = {
        "module-path": chosen.file,
        "timeout": chosen.timeout,
        "excluded-modules": [],
        "test-command": " ".join(test),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    filters = f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(EXCLUDED)}"
    local = '[cosmic-ray.distributor]\nname = "local"'
    Path(copy, "mutate.toml").write_text("\n".join(["[cosmic-ray]", *lines, local, filters, ""]), encoding="utf-8")

    def tool(name: str, *arguments: str) -> None:
        subprocess.run([Path(sys.executable).with_name(name), *arguments], cwd=copy, check=True)

    if subprocess.run(test, cwd=copy).returncode != 0:
        sys.exit("the tests fail without any mutation")
    tool("cosmic-ray", "init", "mutate.toml", "session.sqlite")
    tool("cr-filter-operators", "session.sqlite", "mutate.toml")
    with use_db(str(copy / "session.sqlite"), WorkDB.Mode.open) as work:
        possible = sorted(work.pending_work_items, key=lambda item: _where(item.mutations[0]))
        count = len(possible) if chosen.sample is None else min(chosen.sample, len(possible))
        left_out = {item.job_id for item in possible}
        left_out -= {item.job_id for item in random.Random(chosen.seed).sample(possible, count)}
        work.set_multiple_results(left_out, WorkResult(WorkerOutcome.SKIPPED))
        print(f"{count} of {len(possible)} mutants of {chosen.file}", flush=True)
        tool("cosmic-ray", "exec", "mutate.toml", "session.sqlite")
        results = [result for _, result in work.completed_work_items if result.worker_outcome != WorkerOutcome.SKIPPED]
    survivors = [result for result in results if not result.is_killed]
    for result in survivors:
        print(result.diff)
    print(f"{chosen.file}: {len(results) - len(survivors)} of {len(results)} mutants were noticed")
    return len(survivors)


def _where(mutation: Any) -> tuple[Any, ...]:
    """The same order each time: job numbers are random."""
    return mutation.start_pos, mutation.operator_name, mutation.occurrence


if __name__ == "__main__":
    main()
