"""All options of a run in one frozen, validated value."""

from __future__ import annotations

import hmac
import math
import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, get_type_hints

from bulkdcm import mappings
from bulkdcm.engines import DEFAULT, ENGINES, able
from bulkdcm.errors import SettingsError
from bulkdcm.settings_file import FILE_TO_WRITE, FILES_GO, ONE_RUN, OTHERS_CODE, READS_OUTSIDE

if TYPE_CHECKING:
    from bulkdcm.settings_file import ByHand

LAYOUTS = ("mirror", "uid")
DELIMITERS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "bar": "|",
    ",": ",",
    ";": ";",
    "\t": "\t",
    "\\t": "\t",
    "|": "|",
}
ROWS_PER_IMAGE = ("first", "join")
NATIVE = ("auto", "explicit", "implicit", "deflated")
LOSSLESS = ("rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "htj2k-lossless")
LOSSY = ("jpeg-baseline",)  # each with its quality, as jpeg-baseline:90
STREAMS = ("trust", "decode")
JPEG = ("keep", "transcode")
WINDOWS = ("present", "none")  # and shares
TRANSFER_SYNTAXES = (*NATIVE, *LOSSLESS, *LOSSY)
ROW_TIMEOUT_S = 300.0
_MAX_PIXELS = 178_956_970
_MOST_LEFT = 1023  # cores
_PATHS = ("images", "uid_key_file", "ledger", "template", "mapping")
_BACKGROUNDS = {"black": "#000000", "white": "#ffffff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of a run; each is also an option of ``bulkdcm convert``.

    Attributes
    ----------
    images
        Image root that sources are relative to; None for the manifest's folder.
    n_jobs
        Workers; 0 for one per core.
    chunk_size
        Rows a worker takes at once; 0 to choose by itself.
    backend
        ``loky`` (processes), ``threading``, ``sequential`` or ``dask`` (the workers of a cluster).
    scheduler
        Address of the cluster's scheduler, such as ``tcp://host:8786``; only for ``dask``, and needed there.
    transfer_syntax
        ``auto`` passes JPEG streams through and writes the rest as Explicit VR Little Endian; ``explicit``,
        ``implicit`` and ``deflated`` decode everything; ``rle``, ``jpeg-lossless``, ``jpeg-ls``, ``j2k-lossless`` and
        ``htj2k-lossless`` compress without loss; ``jpeg-baseline:90`` with loss, at that quality (1 to 100).
    streams
        ``trust`` passes a JPEG stream through if it is complete in form; ``decode`` decodes it, too, and refuses it if the
        decoder finds anything to complain of. What is written is the same.
    defaults
        Column name and value pairs for every row whose own cell is empty or missing.
    layout
        ``mirror``: ``a/b.png`` becomes ``a/b.dcm``; ``uid``: study/series/instance.dcm.
    fail_fast
        Stop at the first failed row.
    max_pixels
        Rows times columns times frames above which an image is refused before it is decoded.
    background
        ``black``, ``white`` or ``#rrggbb`` to lay transparent pixels on; empty to refuse them.
    keep_color
        Keep a colour image whose channels are all equal as RGB.
    jpeg
        ``keep``; or ``transcode``: a JPEG that DICOM has no place for, such as a progressive one, becomes a baseline stream
        with the same coefficients, if libjpeg-turbo's TurboJPEG library is there.
    gray_tolerance
        Colour whose channels differ by no more than this becomes gray.
    invert
        Invert the pixels of gray images, whose rows may say by PhotometricInterpretation MONOCHROME2 that they stay.
    window
        Of gray images of more than 8 bits, or of two values, whose rows give none: ``present``, from the lowest to the
        highest value that is there; ``percentile:0.1``, without that percentage of the pixels at either end, such as
        letters burned in; ``none``.
    convert_cmyk
        Convert CMYK images to RGB instead of refusing them.
    encoding
        Of the manifest.
    delimiter
        What divides its columns: ``comma``, ``semicolon``, ``tab``, ``bar``, or the sign itself; empty to recognise it.
    sheet
        Of a workbook: the sheet that is the manifest; empty for the only one that holds something.
    rows_per_image
        What becomes of several rows of one image: ``first``, the others are left out; ``join``, their cells are put
        together; empty to refuse them.
    mapping
        A TOML file that says how a dataset's own table is read as a manifest; or the name of one that comes with bulkdcm.
    skip_invalid
        Fail the rows at fault in the preflight and run the others.
    ignore_columns
        Columns of the manifest to leave out.
    uid_key_file
        File with a secret to derive UIDs with (HMAC-SHA256).
    rows
        Of the manifest's rows only ``first:last``, counted from 0, the last not among them; empty for all.
    where
        Only rows that meet a condition on columns, such as ``Modality == 'CR'``; empty for all.
    sample
        Only this many of them, the same ones every time; 0 for all.
    only_failed
        Only rows that failed in an earlier run.
    retry_failed
        Try the rows again that failed in an earlier run: None for those whose failure may have another end now, True for
        all of them, False for none.
    check_sources
        Compare done rows' sources by their SHA-256, not by size and modification time.
    max_missing
        Share of the sources converted before (0 to 1) that may be missing; with more, nothing runs.
    follow_links
        Read sources through links that lead outside the image root.
    overwrite
        Let outputs take the place of files that the ledger doesn't know.
    row_timeout
        Seconds after which a row fails; 0 for never, None for 300 if a row can be stopped. Only for ``loky``.
    memory_limit
        MB that a worker may allocate; 0 for its share of four fifths of the machine's memory. Only for ``loky``.
    fsync
        Bring files to the disk before the ledger calls them done; without it a power cut may lose some.
    ledger
        Path of the ledger; None for ``OUT/.bulkdcm/ledger.sqlite``. It needs a local disk.
    template
        A DICOM file whose attributes are defaults for every row, below `defaults`; not its UIDs, pixels or patient.
    template_patient
        Its patient too.
    prune
        Remove the outputs of rows that are no longer in the manifest.
    verify
        Compare what is made of a row with its cells and its source, decoded by another decoder, before it is stored; a row
        in which anything is found fails.

    Raises
    ------
    SettingsError
        If a value can't be used; the message says which are possible.
    """

    images: Path | None = None
    n_jobs: int = 0
    chunk_size: int = 0
    backend: str = DEFAULT
    scheduler: Annotated[str, OTHERS_CODE] = ""
    transfer_syntax: str = "auto"
    streams: str = "trust"
    defaults: tuple[tuple[str, str], ...] = ()
    layout: str = "mirror"
    fail_fast: bool = False
    max_pixels: int = _MAX_PIXELS
    background: str = ""
    keep_color: bool = False
    jpeg: str = "keep"
    gray_tolerance: int = 0
    invert: bool = False
    window: str = "present"
    convert_cmyk: bool = False
    encoding: str = "utf-8"
    delimiter: str = ""
    sheet: str = ""
    rows_per_image: str = ""
    mapping: Path | None = None
    skip_invalid: bool = False
    ignore_columns: tuple[str, ...] = ()
    uid_key_file: Path | None = None
    rows: str = ""
    where: str = ""
    sample: int = 0
    only_failed: Annotated[bool, ONE_RUN] = False
    retry_failed: Annotated[bool | None, ONE_RUN] = None
    check_sources: bool = False
    max_missing: float = 0.5
    follow_links: Annotated[bool, READS_OUTSIDE] = False
    overwrite: Annotated[bool, FILES_GO] = False
    row_timeout: float | None = None
    memory_limit: int = 0
    fsync: bool = True
    ledger: Annotated[Path | None, FILE_TO_WRITE] = None
    template: Path | None = None
    template_patient: bool = False
    prune: Annotated[bool, FILES_GO] = False
    verify: bool = False

    def __post_init__(self) -> None:
        self._refuse_urls()
        self._name_mapping()
        _one_of("layout", self.layout, LAYOUTS)
        _one_of("streams", self.streams, STREAMS)
        _one_of("jpeg", self.jpeg, JPEG)
        _one_of("delimiter", self.delimiter, ("", *DELIMITERS))
        _one_of("rows_per_image", self.rows_per_image, ("", *ROWS_PER_IMAGE))
        _one_of("transfer_syntax", self.compression, TRANSFER_SYNTAXES)
        if self.compression in LOSSY:
            if not re.fullmatch(r"[^:]+:([1-9][0-9]?|100)", self.transfer_syntax):
                _refuse(
                    "transfer_syntax", self.transfer_syntax, f"a quality from 1 to 100, such as {self.compression}:90"
                )
        elif ":" in self.transfer_syntax:
            _refuse("transfer_syntax", self.transfer_syntax, f"{self.compression}, which has no quality")
        for name, least in (
            ("n_jobs", -_MOST_LEFT), ("chunk_size", 0), ("max_pixels", 1), ("memory_limit", 0), ("sample", 0), ("gray_tolerance", 0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                _refuse(name, value, f"a whole number from {least}")
        if not isinstance(self.max_missing, (int, float)) or not 0 <= self.max_missing <= 1:
            _refuse("max_missing", self.max_missing, "a share from 0 to 1")
        if self.gray_tolerance and self.keep_color:
            _refuse("gray_tolerance", self.gray_tolerance, "0 with --keep-color, by which no colour becomes gray")
        self._check_engine()
        self._check_window()
        if self.background:
            shade = _BACKGROUNDS.get(self.background.lower(), self.background.lower())
            if not re.fullmatch(r"#[0-9a-f]{6}", shade):
                _refuse("background", self.background, "black, white or #rrggbb")
            object.__setattr__(self, "background", shade)
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError, TypeError):
            _refuse("encoding", self.encoding, "a name that Python knows, such as utf-8, cp1252 or gb18030")

    def _refuse_urls(self) -> None:
        for name in _PATHS:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, local_path(f"--{name.replace('_', '-')}", value))

    def _name_mapping(self) -> None:
        """Put the file in the place of a mapping's name; a file that is called so comes first."""
        if self.mapping is not None and not self.mapping.exists() and (found := mappings.find(str(self.mapping))):
            object.__setattr__(self, "mapping", found)

    def _check_engine(self) -> None:
        """Refuse what the engine can't do."""
        _one_of("backend", self.backend, tuple(ENGINES))
        engine = ENGINES[self.backend]
        address = r"(tcp|tls|ws|wss)://[^/]+:[0-9]+" if engine.needs_address else ""
        if not re.fullmatch(address, self.scheduler):
            where = f"with --backend {able('needs_address')}"
            _refuse("scheduler", self.scheduler, f"an address such as tcp://host:8786 {where}, and none without")
        timeout = 0 if self.row_timeout is None else self.row_timeout
        if not isinstance(timeout, (int, float)) or not 0 <= timeout < math.inf:
            _refuse("row_timeout", self.row_timeout, "seconds, or 0 for never")
        for name, fact, lacks, has in (
            ("row_timeout", "stops_a_row", "can't stop a row", "can"),
            ("memory_limit", "limits_memory", "has no limit", "has"),
        ):
            if getattr(self, name) and not getattr(engine, fact):
                possible = f"0 with --backend {self.backend}, which {lacks}; {able(fact)} {has}"
                _refuse(name, getattr(self, name), possible)

    def _check_window(self) -> None:
        name, _, share = self.window.partition(":")
        is_share = re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", share) and 0 < float(share) < 50
        if not (is_share if name == "percentile" else name in WINDOWS and not share):
            _refuse(
                "window", self.window, f"{', '.join(WINDOWS)}, or percentile:0.1, with percent above 0 and below 50"
            )

    @classmethod
    def of(cls, **options: Any) -> Settings:
        """Return the settings for `options`, as a caller writes them: a path as text, `defaults` as a dict."""
        known = {field.name for field in fields(cls)}
        for name in options:
            if name not in known:
                _refuse("option", name, ", ".join(sorted(known)))
        if isinstance(options.get("defaults"), dict):
            options["defaults"] = tuple((key, str(value)) for key, value in options["defaults"].items())
        if "ignore_columns" in options:
            options["ignore_columns"] = tuple(options["ignore_columns"])
        return cls(**options)

    def changed(self, **options: Any) -> Self:
        """Return the settings with other values of some options."""
        return replace(self, **options)

    def output_options(self, uid_key: bytes) -> str:
        """Return the options that change an output's bytes, canonical; the key as a digest, so that it can't be read back."""
        key = hmac.digest(uid_key, b"bulkdcm fingerprint", "sha256").hex()[:16] if uid_key else ""
        window = f";window={self.window}" if self.window != WINDOWS[0] else ""
        return f"transfer_syntax={self.transfer_syntax};uid_key={key};{self.pixel_options}{window}"

    @property
    def row_timeout_s(self) -> float:
        """The time that a row may take; 0 for any."""
        if self.row_timeout is None:
            return ROW_TIMEOUT_S if ENGINES[self.backend].stops_a_row else 0.0
        return float(self.row_timeout)

    @property
    def acceptance(self) -> str:
        """The options that decide whether a source is refused and change no byte of an output; empty for the defaults."""
        changed = [f"max_pixels={self.max_pixels}"] if self.max_pixels != _MAX_PIXELS else []
        return ";".join([*changed, *([f"streams={self.streams}"] if self.streams != STREAMS[0] else [])])

    @property
    def selects(self) -> bool:
        """Whether only some of the manifest's rows are wanted."""
        return bool(self.rows or self.where or self.sample or self.only_failed)

    @property
    def compression(self) -> str:
        """The name of the transfer syntax, without its quality."""
        return self.transfer_syntax.partition(":")[0]

    @property
    def quality(self) -> int:
        """The quality that a lossy transfer syntax was asked for with; 0 for the others."""
        return int(self.transfer_syntax.partition(":")[2] or 0)

    @property
    def pixel_options(self) -> str:
        """The options that change pixels, canonical; empty for the defaults, so that a new option moves no UID."""
        changed = []
        if self.background:
            changed.append(f"background={self.background}")
        if self.convert_cmyk:
            changed.append("convert_cmyk")
        if self.gray_tolerance:
            changed.append(f"gray_tolerance={self.gray_tolerance}")
        if self.invert:
            changed.append("invert")
        if self.jpeg != JPEG[0]:
            changed.append(f"jpeg={self.jpeg}")
        if self.keep_color:
            changed.append("keep_color")
        if self.quality:
            changed.append(f"transfer_syntax={self.transfer_syntax}")
        return ";".join(changed)


BY_HAND: dict[str, ByHand] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
"""The options that no settings file may hold."""
KEPT = tuple(each.name for each in fields(Settings) if each.name not in BY_HAND or BY_HAND[each.name].kept)
"""The options that a run keeps, so that it can be gone on with."""


def is_url(text: str) -> bool:
    """Whether a path is the address of something elsewhere; a Path has lost one of its slashes."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text) is not None


def local_path(option: str, value: str | os.PathLike[str]) -> Path:
    """Return a path that an option names.

    Parameters
    ----------
    option
        As the user knows it.
    value
        What was given.

    Raises
    ------
    SettingsError
        If it is a URL: made into a path it would name a folder such as ``s3:``.
    """
    text = os.fspath(value)
    if is_url(text):
        remedy = "copy the files to this machine, or mount the place, and name the folder"
        if text.lower().startswith("file:"):
            remedy = f"write it without {text[:5]}//"
        msg = f"{option} {text}: this is a URL, and bulkdcm reads and writes local files only. To go on, {remedy}."
        raise SettingsError(msg)
    return Path(value)


def _refuse(name: str, value: object, possible: str) -> None:
    option = name if name == "option" else f"--{name.replace('_', '-')}"
    msg = f"{option} {value!r} is not possible. Possible: {possible}."
    raise SettingsError(msg)


def _one_of(name: str, value: str, possible: tuple[str, ...]) -> None:
    if value not in possible:
        # Signs by themselves would be lost among the commas.
        _refuse(name, value, ", ".join(one for one in possible if one[:1].isalnum()))
