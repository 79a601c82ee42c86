"""A checked manifest to the work of a run, or the reason why it must not run: decided before anything is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import manifest, resume
from bulkdcm.errors import ManifestError
from bulkdcm.execution import Work, finish_moves
from bulkdcm.ledger_files import FILE, FOLDER
from bulkdcm.outcome import Failed
from bulkdcm.places import Known, Places
from bulkdcm.report import FILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Problem
    from bulkdcm.worker import Context

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
        self.folder = Path(context.out)
        settings = context.settings
        self._ledger = settings.ledger or self.folder / FOLDER / FILE
        named = {str(path): "the manifest", str(self._ledger): "the ledger"}
        for option, file in (
            ("mapping", settings.mapping),
            ("template", settings.template),
            ("UID key", settings.uid_key_file),
        ):
            if file:
                named[str(file)] = f"the {option} file"
        self.places = Places(rows, context.out, context.images, named, FILES)

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
            Where the run would destroy something, or most of its sources are gone.
        """
        settings, rows = self.context.settings, self.rows
        if ledger is not None:
            finish_moves(ledger, self.folder)
        elsewhere = json.loads((ledger and ledger.fact("images")) or '""')
        moved = elsewhere not in {"", self.context.images}
        basis = resume.Basis(
            settings=settings.output_options(self.context.uid_key),
            images=self.context.images,
            out=self.context.out,
            check_sources=settings.check_sources or moved,
            acceptance=settings.acceptance,
        )
        plan = resume.plan(rows, ledger, basis)
        self._refuse_missing(plan)
        todo = self._todo(plan, set(self._at_fault(errors)))
        if moved:
            self._refuse_other_images(plan, todo, elsewhere)
        ours = set() if ledger is None else ledger.claims() | {file[0] for file in ledger.obsolete()}
        takes: dict[int, str] = {}
        if self.context.destination == "files":
            known = Known(outputs=plan.outputs, ours=ours, orphaned=plan.orphaned)
            found, takes = self.places.check(todo, known, overwrite=settings.overwrite, prune=settings.prune)
            if found:
                self._refuse(found)
                errors = [*errors, *found]
        invalid = self._invalid(errors)
        skip = {failed.ordinal for failed in invalid}
        return Work(
            rows=rows,
            plan=plan,
            todo=[ordinal for ordinal in todo if ordinal not in skip],
            invalid=invalid,
            takes=takes,
            ours=ours,
            places=self.places,
        )

    def counts(self, work: Work) -> dict[str, int]:
        """Return how many rows would run by reason, and how many would not."""
        running = set(work.todo)
        failing = {failed.ordinal for failed in work.invalid}
        first = {other: members[0] for members in self.rows.frames.values() for other in members}
        found: dict[str, int] = {}
        for ordinal, reason in enumerate(work.plan.reasons):
            head = first.get(ordinal, ordinal)
            if ordinal in failing:
                told = AT_FAULT
            elif head in running:
                told = resume.FAILED if reason == resume.UNCHANGED else reason
            elif reason in {resume.DONE, resume.UNCHANGED}:
                told = reason or "done"
            else:
                told = LEFT if reason == resume.FAILED and self.context.settings.retry_failed is False else UNTAKEN
            found[told] = found.get(told, 0) + 1
        if gone := sum(new < 0 for _, new in work.plan.moves):
            found[resume.GONE] = gone
        return found

    def _todo(self, plan: resume.Plan, skip: set[int]) -> list[int]:
        """Return the rows to run: what the plan leaves, the settings take, and the preflight has let through."""
        settings = self.context.settings
        retry = True if settings.only_failed and settings.retry_failed is None else settings.retry_failed
        todo = [ordinal for ordinal in plan.todo(retry_failed=retry) if ordinal not in skip]
        if not settings.selects:
            return todo
        taken = manifest.selected(self.rows, settings)
        failed = {resume.FAILED, resume.UNCHANGED}
        return [o for o in todo if taken[o] and (plan.reasons[o] in failed or not settings.only_failed)]

    def _refuse(self, problems: Sequence[Problem]) -> None:
        if not self.context.settings.skip_invalid or any(not problem.lines for problem in problems):
            rows = sum(len(problem.lines) or 1 for problem in problems)
            msg = f"{self.path}: {rows:,} output{'s' if rows > 1 else ''} would take the place of other files; nothing written."
            raise ManifestError(msg, problems)

    def _refuse_missing(self, plan: resume.Plan) -> None:
        """Refuse to run where sources are gone as a whole, as they are when a share isn't mounted."""
        limit, rows = self.context.settings.max_missing, len(self.rows)
        if self.context.destination != "files" or limit >= 1 or not rows:
            return
        remedy = (
            f"Is the image root {self.context.images} mounted and complete? To go on all the same, give --max-missing 1"
        )
        sources = self.rows.column("source")
        if not any(os.path.exists(f"{self.context.images}/{path}") for path in sources.values):
            msg = f"{self.path}: none of the sources of its {rows:,} rows is there; nothing written. {remedy}."
            raise ManifestError(msg)
        if len(plan.missing) > limit * plan.before:
            msg = (
                f"{self.path}: of the sources of {plan.before:,} rows converted before, {len(plan.missing):,} are missing, "
                f"such as {sources[plan.missing[0]]}; nothing written. {remedy}."
            )
            raise ManifestError(msg)

    def _refuse_other_images(self, plan: resume.Plan, todo: Sequence[int], elsewhere: str) -> None:
        """Refuse to replace or remove outputs that were made of other images of the same names."""
        running = set(todo)
        replaced = [ordinal for ordinal in plan.exchanged if ordinal in running]
        pruned = plan.orphaned if self.context.settings.prune else ()
        if replaced or pruned:
            what = f"replace {len(replaced):,}" if replaced else f"remove {len(pruned):,}"
            msg = (
                f"{self.path}: the outputs in {self.context.out} were made of the images in {elsewhere}; those in "
                f"{self.context.images} are others, and the run would {what} of the outputs. Nothing written. Name another "
                "folder with --out, or the earlier images with --images."
            )
            raise ManifestError(msg)

    def _at_fault(self, errors: Sequence[Problem]) -> dict[int, list[str]]:
        """Return what the preflight found, by row; a frame at fault is the whole object's."""
        whole = [problem for problem in errors if problem.lines in {(), (1,)}]
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
            Failed(ordinal=ordinal, stage="check", error="ManifestError", message=" | ".join(messages))
            for ordinal, messages in sorted(self._at_fault(errors).items())
        ]
