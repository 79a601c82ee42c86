"""What the sweep refuses, with what the remedies say added: then it must be accepted, or the advice is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from bulkdcm import iods
from bulkdcm.attributes.condition_tables import CALLED_UP, RULES, Test
from bulkdcm.manifest.conditions import provided
from tests.conformance import trials

_ROUNDS = 10  # what a remedy adds may need more


@dataclass(frozen=True)
class Remedied(trials.Trial):
    """A trial with more attributes in its row."""

    more: tuple[tuple[str, str], ...] = ()

    @property
    def row(self) -> dict[str, str]:
        return {**trials.Trial.row.fget(self), **dict(self.more)}

    def __str__(self) -> str:
        return f"{super().__str__()} with {dict(self.more)}"


def remedied(trial: trials.Trial) -> Remedied | None:
    """Return the trial with all that its attributes need; None where nothing is needed, or nothing helps."""
    iod, more = iods.BY_NAME[trial.alias], {}
    for _ in range(_ROUNDS):
        lacking = _lacking({**trial.row, **more}, iod)
        if lacking is None:
            return None
        if not lacking:
            break
        for test in lacking:
            if not trials.expressible(test.keyword) or test.place is not None or test.keyword == trial.keyword:
                return None
            terms = trials.attributes()[iod.alias].get(test.keyword, ())
            number = 5000 + 100 * len(more) + trial.number  # a UID of its own
            more[test.keyword] = test.values[0] if test.values else trials.tried(test.keyword, terms, number)[0]
    return (
        Remedied(trial.alias, trial.kind, trial.keyword, trial.value, trial.number, tuple(more.items()))
        if more
        else None
    )


def _lacking(row: dict[str, str], iod: iods.registry.IOD) -> list[Test] | None:
    """Return what the conditions ask for; None where one excludes."""
    found = provided(iod) | {name: tuple(cell.split("\\")) for name, cell in row.items() if name[0].isupper() and cell}
    found.setdefault("Modality", (iod.modalities or ("OT",))[:1])

    def holds(test: Test) -> bool:
        values = found.get(test.keyword, ())
        place = values if test.place is None else values[test.place : test.place + 1]
        return any(value in test.values if test.values else bool(value) for value in place)

    lacking: list[Test] = []
    for rule in RULES:
        if not (rule.classes and iod.sop_class_uid not in rule.classes) and holds(rule.when):
            if any(map(holds, rule.unless)):
                continue
            if rule.never or any(map(holds, rule.excludes)):
                return None
            if rule.needs and not any(map(holds, rule.needs)):
                lacking.append(rule.needs[0])
    for called in CALLED_UP:
        if not (called.classes and iod.sop_class_uid not in called.classes) and any(map(holds, called.members)):
            needed = [[Test(name) for name in names.split(" or ")] for names in called.needs]
            lacking += [tests[0] for tests in needed if not any(map(holds, tests))]
    first = {test.keyword: test for test in reversed(lacking)}  # of a shape, the one that its parts ask for
    return list(first.values())
