"""A checked manifest to the work of a run, or the reason why it must not run: decided before anything is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import filesystem, manifest
from bulkdcm.conversion import dependencies, settlement
from bulkdcm.conversion.long_paths import too_long
from bulkdcm.conversion.outcome import Failed, SourceFacts
from bulkdcm.conversion.places import Known, Places
from bulkdcm.conversion.plan import DONE, FAILED, GONE, UNCHANGED
from bulkdcm.conversion.planning import plan_of
from bulkdcm.conversion.work import Work
from bulkdcm.errors import ManifestError
from bulkdcm.ledger.files import FILE, FOLDER
from bulkdcm.report import WRITERS
from bulkdcm.settings_file import settings_file
from bulkdcm.stores import archives

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.plan import Plan
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Problem, Replaceable

UNTAKEN, AT_FAULT, LEFT = "not selected", "at fault in the check", "failed before, left"


class Preparation:
    """What a run will do, as far as it can be known beforehand.

    Parameters
    ----------
    path
        The manifest.
    rows
        Resolved and checked.
    context
        Of the run.
    """

    def __init__(self, path: Path, rows: Manifest, context: Context) -> None:
        self.path, self.rows, self.context = path, rows, context
        self._out, self._images = context.outputs.local_path, context.sources.local_path
        self.folder = Path(self._out)
        settings = context.settings
        self._ledger = settings.ledger or self.folder / FOLDER / FILE
        named = {
            str(path): "the manifest",
            str(self._ledger): "the ledger",
            str(settings_file(path)): "the settings file",
        }
        for option, file in (
            ("mapping", settings.mapping),
            ("template", settings.template),
            ("UID key", settings.uid_key_file),
        ):
            if file:
                named[str(file)] = f"the {option} file"
        self._references = dependencies.found(rows)
        self.places = Places(rows, context.outputs, self._images, named, WRITERS)

    @property
    def begun(self) -> bool:
        """Whether a run has been at this output folder."""
        return os.path.lexists(self.folder / FOLDER) or self._ledger.exists()

    def work(self, ledger: Ledger | None, errors: Sequence[Problem]) -> Work:
        """Return what is to be done.

        Parameters
        ----------
        ledger
            Open; None where no run has been here, so that nothing is known.
        errors
            Problems that the preflight found and the settings let through.

        Raises
        ------
        ManifestError
            If the run would destroy something, or most of its sources are gone.
        """
        settings, rows = self.context.settings, self.rows
        if ledger is not None:
            settlement.finish_moves(ledger, self.context.outputs)
        elsewhere = json.loads((ledger and ledger.fact("images")) or '""')
        moved = elsewhere not in {"", self._images}
        plan = plan_of(
            rows, ledger, self.context, self._references.depends, compare_sources=settings.check_sources or moved
        )
        self._refuse_missing(plan)
        errors = [*errors, *self._refused(self._references.problems, "can't refer to what they name")]
        todo = self._todo(plan, set(self._at_fault(errors)))
        if moved:
            self._refuse_other_images(plan, todo, elsewhere)
        ours = set() if ledger is None else ledger.claims() | {file[0] for file in ledger.obsolete()}
        takes: dict[int, Replaceable] = {}
        if self.context.outputs.writes:
            known = Known(outputs=plan.outputs, ours=ours, orphaned=plan.orphaned)
            found, takes = self.places.check(todo, known, overwrite=settings.overwrite, prune=settings.prune)
            errors = [*errors, *self._refused(found, "would take the place of other files")]
            found = list(too_long(self.rows, self._out, filesystem.longest_path()))
            errors = [*errors, *self._refused(found, "would have paths that are too long")]
        invalid = self._invalid(errors)
        skip = {failed.ordinal for failed in invalid}
        return Work(
            rows=rows,
            plan=plan,
            levels=dependencies.levels([ordinal for ordinal in todo if ordinal not in skip], plan.depends),
            invalid=invalid,
            takes=takes,
            ours=ours,
            places=self.places,
        )

    def counts(self, work: Work) -> dict[str, int]:
        """Return how many rows would run by reason, and how many would not."""
        running = {ordinal for level in work.levels for ordinal in level}
        failing = {failed.ordinal for failed in work.invalid}
        first = {other: members[0] for members in self.rows.frames.values() for other in members}
        found: dict[str, int] = {}
        for ordinal, reason in enumerate(work.plan.reasons):
            head = first.get(ordinal, ordinal)
            if ordinal in failing:
                told = AT_FAULT
            elif head in running:
                told = FAILED if reason == UNCHANGED else reason
            elif reason in {DONE, UNCHANGED}:
                told = reason or "done"
            else:
                told = LEFT if reason == FAILED and self.context.settings.retry_failed is False else UNTAKEN
            found[told] = found.get(told, 0) + 1
        if gone := sum(new < 0 for _, new in work.plan.moves):
            found[GONE] = gone
        return found

    def _todo(self, plan: Plan, skip: set[int]) -> list[int]:
        """Return the rows to run: what the plan leaves, the settings take, and the preflight has let through."""
        settings = self.context.settings
        retry = True if settings.only_failed and settings.retry_failed is None else settings.retry_failed
        todo = [ordinal for ordinal in plan.todo(retry_failed=retry) if ordinal not in skip]
        if not settings.selects:
            return todo
        taken = manifest.selected(self.rows, settings)
        failed = {FAILED, UNCHANGED}
        return [o for o in todo if taken[o] and (plan.reasons[o] in failed or not settings.only_failed)]

    def _refused(self, problems: Sequence[Problem], what: str) -> Sequence[Problem]:
        """Return problems that rows can be skipped for; raise where they may not be."""
        if problems and (not self.context.settings.skip_invalid or any(not problem.lines for problem in problems)):
            rows = sum(len(problem.lines) or 1 for problem in problems)
            msg = f"{self.path}: {rows:,} output{'s' if rows > 1 else ''} {what}; nothing written."
            raise ManifestError(msg, problems)
        return problems

    def _refuse_missing(self, plan: Plan) -> None:
        """Refuse to run where sources are gone as a whole, as they are when a share isn't mounted."""
        limit, rows = self.context.settings.max_missing, len(self.rows)
        if not self.context.outputs.writes or limit >= 1 or not rows:
            return
        remedy = f"Is the image root {self._images} mounted and complete? To go on all the same, give --max-missing 1"
        sources = self.rows.column("source")
        if not any(
            os.path.exists(f"{self._images}/{archives.file_of(path, self.rows.files)}") for path in sources.values
        ):
            msg = f"{self.path}: none of the sources of its {rows:,} rows is there; nothing written. {remedy}."
            raise ManifestError(msg)
        if len(plan.missing) > limit * plan.before:
            msg = (
                f"{self.path}: of the sources of {plan.before:,} rows converted before, {len(plan.missing):,} are missing, "
                f"such as {sources[plan.missing[0]]}; nothing written. {remedy}."
            )
            raise ManifestError(msg)

    def _refuse_other_images(self, plan: Plan, todo: Sequence[int], elsewhere: str) -> None:
        """Refuse to replace or remove outputs that were made of other images of the same names."""
        running = set(todo)
        replaced = [ordinal for ordinal in plan.exchanged if ordinal in running]
        pruned = plan.orphaned if self.context.settings.prune else ()
        if replaced or pruned:
            what = f"replace {len(replaced):,}" if replaced else f"remove {len(pruned):,}"
            msg = (
                f"{self.path}: the outputs in {self._out} were made of the images in {elsewhere}; those in "
                f"{self._images} are others, and the run would {what} of the outputs. Nothing written. Name another "
                "folder with --out, or the earlier images with --images."
            )
            raise ManifestError(msg)

    def _at_fault(self, errors: Sequence[Problem]) -> dict[int, list[str]]:
        """Return what the preflight found, by row; a frame at fault is the whole object's."""
        header = {()} if 1 in self.rows.lines else {(), (1,)}
        whole = [problem for problem in errors if problem.lines in header]
        if whole:
            # A problem of the header is every row's, so there is nothing left to skip to.
            msg = f"{self.path}: --skip-invalid can't skip a problem of the whole manifest; nothing written."
            raise ManifestError(msg, whole)
        ordinals = dict(zip(self.rows.lines.tolist(), range(len(self.rows)), strict=True)) if errors else {}
        objects = {ordinal: members for members in self.rows.frames.values() for ordinal in members}
        found: dict[int, list[str]] = {}
        for problem in (part for error in errors for part in error.parts or (error,)):
            for line in problem.lines:
                about = f"column {problem.column}: " if problem.column else ""
                for ordinal in objects.get(ordinals[line], (ordinals[line],)):
                    found.setdefault(ordinal, []).append(about + problem.what)
        return found

    def _invalid(self, errors: Sequence[Problem]) -> list[Failed]:
        """Return the rows that the preflight found at fault, each with all of its problems."""
        return [
            Failed(
                sources=(SourceFacts(ordinal=ordinal),),
                stage="check",
                error="ManifestError",
                message=" | ".join(messages),
            )
            for ordinal, messages in sorted(self._at_fault(errors).items())
        ]
