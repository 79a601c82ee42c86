"""Values that ``--set`` gives to every row, checked before the manifest is read: a fault in one is the option's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm.errors import SettingsError
from bulkdcm.manifest.cells import fault
from bulkdcm.manifest.class_names import advice
from bulkdcm.problem import gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import Offer, Problem


def check_defaults(defaults: Iterable[tuple[str, str]], offer: Offer) -> None:
    """Refuse a default whose name or value means nothing.

    Parameters
    ----------
    defaults
        Column name and value.
    offer
        What rows may ask for.

    Raises
    ------
    SettingsError
        If a name is no column that a manifest has, or a value breaks a rule.
    """
    for name, text in defaults:
        wrong = fault(name, text.strip(" "))
        if (
            name == "sop_class"
            and text
            and not any(text in known for known in (offer.names, offer.kinds, offer.refused))
        ):
            wrong = ". ".join(advice(text, offer.classes))
        if wrong:
            msg = f"--set {name}={text}: {wrong}{'' if wrong.endswith(('?', '.')) else '.'}"
            raise SettingsError(msg)


def by_option(problems: Iterable[Problem], manifest: Manifest, options: Mapping[str, tuple[str, str]]) -> list[Problem]:
    """Return problems with the option that a value comes from: such a column isn't in the file, to be found there.

    Parameters
    ----------
    problems
        As `check` found them.
    manifest
        Resolved.
    options
        Column to the value that an option gives it, and that option, as the user wrote it.
    """

    def told(problem: Problem) -> Problem:
        value, option = options.get(problem.column, ("", ""))
        given = problem.value == value or (not problem.value and manifest.column(problem.column).values == [value])
        return replace(problem, option=option) if option and given else problem

    return list(gathered(told(part) for problem in problems for part in problem.parts or (problem,)))
