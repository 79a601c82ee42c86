"""Mutants of every format through the readers: ``python -m tests.fuzz --mutants 20000``."""

from __future__ import annotations

import argparse
import time

from tests.fuzz.attempts import attempts, counted
from tests.fuzz.seeds import FORMATS

_SHOWN = 12


def main() -> int:
    """Print the counts of each format; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--streams", default="decode", choices=("trust", "decode"))
    parser.add_argument("--show", action="store_true", help="also what only one other decoder refuses")
    asked = parser.parse_args()
    bad = 0
    for kind in asked.formats.split(","):
        began = time.monotonic()
        made = list(attempts(kind, range(asked.first, asked.first + asked.mutants), asked.seed, asked.streams))
        found = counted(made)
        print(
            f"{kind:17}",
            *(f"{name} {count}" for name, count in sorted(found.items())),
            f"{time.monotonic() - began:.0f} s",
            sep="  ",
            flush=True,
        )
        wrong = [
            one
            for one in made
            if one.outcome in {"unexpected", "died", "hung"} or one.seconds > 10 or one.grown_kb > 10**6
        ]
        wrong += [one for one in made if one.both_refuse and asked.streams == "decode"]
        bad += len(wrong)
        shown = wrong + ([one for one in made if any(one.refusals) and not one.both_refuse] if asked.show else [])
        for one in shown[:_SHOWN]:
            print("   ", one.number, one.outcome, one.words, f"{one.seconds:.1f} s", f"{one.grown_kb} kB", one.refusals)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
