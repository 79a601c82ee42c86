"""Rows whose objects refer to those of other rows: which, in what order they are made, and whether any has changed."""

from __future__ import annotations

import graphlib
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm import manifest
from bulkdcm.model import Problem, Reference
from bulkdcm.objects import MAKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bulkdcm.ledger.ledger import RecordedObject
    from bulkdcm.manifest import Manifest

Depends = dict[int, tuple[int, ...]]
"""Ordinals of the rows that a row's object refers to, by its own."""


class Found(NamedTuple):
    """The rows that each row depends on, by ordinals; and what is wrong with them."""

    depends: Depends
    problems: list[Problem]


def found(rows: Manifest) -> Found:
    """Return what the rows of a manifest refer to.

    Parameters
    ----------
    rows
        Resolved.
    """
    asked = rows.column("sop_class")
    refer = [code for code, kind in enumerate(asked.values) if kind in rows.kinds and MAKERS[kind].refers]
    ordinals = asked.ordinals(refer).tolist() if refer else []
    sources = rows.column("source")
    codes = {name: code for code, name in enumerate(sources.values)} if ordinals else {}
    depends: Depends = {}
    missing: dict[str, list[int]] = {}
    for row in manifest.part(rows, ordinals).rows():
        others: list[int] = []
        for name in MAKERS[row.kind].depends_on(row):
            same = [o for o in (sources.ordinals([codes[name]]).tolist() if name in codes else ()) if o != row.ordinal]
            others += same
            if not same:
                missing.setdefault(name, []).append(row.ordinal)
        if others:
            depends[row.ordinal] = tuple(others)
    problems = [
        Problem(
            lines=rows.lines_of(wrong),
            column="source",
            value=sources[wrong[0]],
            rule=f"its object refers to that of {name!r}, which is the source of no other row",
            remedy="Add a row for it, or correct the reference",
        )
        for name, wrong in missing.items()
    ]
    return Found(depends, [*problems, *_cycles(rows, depends)])


def _cycles(rows: Manifest, depends: Depends) -> Iterator[Problem]:
    """Yield a problem for each round of rows, and take those rows out."""
    while True:
        try:
            graphlib.TopologicalSorter(depends).prepare()
        except graphlib.CycleError as error:
            around = sorted(set(error.args[1]))
            for ordinal in around:
                depends.pop(ordinal, None)
            yield Problem(
                lines=rows.lines_of(around),
                column="source",
                value=rows.column("source")[around[0]],
                rule="the objects of these rows refer to each other, so that none can be the first",
                remedy="Leave one of the references out",
            )
        else:
            return


def ordered(depends: Depends) -> list[int]:
    """Return all rows that refer or are referred to, each after those that it refers to."""
    return list(graphlib.TopologicalSorter(depends).static_order())


def levels(todo: Sequence[int], depends: Depends) -> list[list[int]]:
    """Return rows in the order of their making: those of a level refer to none of their own or a later one."""
    if not depends:
        return [list(todo)]
    rank: dict[int, int] = {}
    for ordinal in ordered(depends):
        rank[ordinal] = 1 + max((rank[other] for other in depends.get(ordinal, ())), default=-1)
    found: list[list[int]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for ordinal in todo:
        found[rank.get(ordinal, 0)].append(ordinal)
    return [level for level in found if level]


def references(
    rows: Manifest, others: Sequence[int], recorded: Iterable[RecordedObject | None]
) -> tuple[Reference, ...]:
    """Return the objects of the rows at `others`; those that aren't there are left out.

    Parameters
    ----------
    rows
        The manifest.
    others
        Ordinals.
    recorded
        Of each, what the ledger has.
    """
    sources = rows.column("source")
    return tuple(
        Reference(
            source=sources[other],
            study_instance_uid=known.study_instance_uid,
            series_instance_uid=known.series_instance_uid,
            sop_instance_uid=known.sop_instance_uid,
            sop_class_uid=known.sop_class_uid,
        )
        for other, known in zip(others, recorded, strict=True)
        if known is not None
    )
