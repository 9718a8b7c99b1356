"""Fuzzes one target guided by coverage: `python -m tests.fuzz.run TARGET --seconds 60`.

What was learnt is kept in `build/fuzz/TARGET/`, an input that it fails on beside it as `TARGET-crash-...`.
`python -m tests.fuzz.run TARGET FILE` runs that again. Exit code 0 where nothing was found. The target
`all` is each of them, one after another, forked from a process that has imported what they need.
"""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

import atheris

MAX_LENGTH = 16_384  # bytes of an input
MEMORY = 3072  # MiB
SLOW = 30  # seconds for one input
OURS = ["fhir_adapter", "summarizer", "jobs.web", "jobs.settings"]


# What targets import when they are first called; threads are started by none.
NEEDED = ("jobs.settings", "jobs.web.app", "jobs.web.service", "summarizer.checkpoint", "torch")


def _forked(targets: tuple[str, ...], folder: Path) -> str:
    """The target of a child; this process waits for one after another, tells their exit codes and ends.

    What each says goes to `TARGET.log` in the folder.
    """
    codes = {}
    for target in targets:
        child = os.fork()
        if not child:
            log = os.open(folder / f"{target}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            return target
        codes[target] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.stdout.write(json.dumps(codes))
    sys.exit(int(any(codes.values())))


def main() -> None:
    """Reads the arguments; does not return."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="0 for another one each time")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    with atheris.instrument_imports(include=OURS):
        from tests.fuzz.targets import TARGETS, seeds

        if given.target == "all":
            for name in NEEDED:
                import_module(name)
            given.target = _forked(tuple(TARGETS), given.folder)
        target = TARGETS[given.target]
        for data in seeds(given.target):  # much is loaded when it is first used
            target(data)
    if given.files:
        for file in given.files:
            target(file.read_bytes())
        return
    corpus = given.folder / given.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(given.target)):
        (corpus / f"seed-{number}").write_bytes(data)
    arguments = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={given.seconds}",
        f"-seed={given.seed}",
        f"-max_len={MAX_LENGTH}",
        "-len_control=0",
        f"-rss_limit_mb={MEMORY}",
        f"-timeout={SLOW}",
        f"-artifact_prefix={given.folder}/{given.target}-",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    atheris.Setup(arguments, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
