"""Real archives on loopback: Orthanc and dcmtk's storescp, started for a test and ended with it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom

from tests.conformance import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# How dcmtk's storescu is told to propose a transfer syntax.
_PROPOSE = {
    "1.2.840.10008.1.2": "-xi",
    "1.2.840.10008.1.2.1": "-xe",
    "1.2.840.10008.1.2.1.99": "-xd",
    "1.2.840.10008.1.2.5": "-xr",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.90": "-xv",
}
_PLUGINS = [Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")]
_STARTS_WITHIN_S, _LOOK_EVERY_S = 30, 0.05


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def store(paths: Sequence[Path], title: str, port: int) -> list[str]:
    """C-STORE files; return what storescu complains of."""
    by_syntax: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_syntax[pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID].append(path)
    found = []
    for syntax, group in by_syntax.items():
        sent = readers.run("storescu", "-R", _PROPOSE[syntax], "-aec", title, "127.0.0.1", port, *group)
        found += [f"storescu {syntax}: {text}" for text in readers.findings(sent)]
    return found


class Orthanc:
    """A running Orthanc."""

    def __init__(self, dicom_port: int, http_port: int) -> None:
        self.dicom_port, self._http_port = dicom_port, http_port

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """Return what the REST interface answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._http_port}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def statistics(self) -> dict[str, int]:
        """Return the numbers of patients, studies, series and instances."""
        facts = json.loads(self.get("/statistics"))
        return {name: facts[f"Count{name.title()}"] for name in ("patients", "studies", "series", "instances")}

    def sop_instance_uids(self) -> dict[str, str]:
        """Return Orthanc's own names of all instances by their SOP Instance UIDs."""
        known = json.loads(self.get("/instances?expand"))
        return {entry["MainDicomTags"]["SOPInstanceUID"]: entry["ID"] for entry in known}


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    """Run Orthanc with an empty storage in `folder`."""
    server = Orthanc(free_port(), free_port())
    configuration = folder / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "storage"),
                "DicomPort": server.dicom_port,
                "HttpPort": server._http_port,
                "HttpBindAddresses": ["127.0.0.1"],
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAlwaysAllowStore": True,
                "UnknownSopClassAccepted": True,
                "StorageCompression": False,
                "Plugins": [str(path) for path in _PLUGINS if path.exists()],
            }
        ),
        encoding="utf-8",
    )
    with _process(["Orthanc", str(configuration)], folder / "orthanc.log"):
        _wait(lambda: server.get("/system"), folder / "orthanc.log")
        yield server


@contextlib.contextmanager
def storescp(folder: Path) -> Iterator[int]:
    """Run dcmtk's receiver; what arrives lies in `folder`."""
    port = free_port()
    log = folder.with_name("storescp.log")
    folder.mkdir()
    with _process(["storescp", "+xa", "+B", "-od", str(folder), str(port)], log):
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), log)
        yield port


@contextlib.contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(ready: Callable[[], object], log: Path) -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            ready()
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > end:
                msg = f"not ready: {error}\n{log.read_text(encoding='utf-8')}"
                raise TimeoutError(msg) from error
            time.sleep(_LOOK_EVERY_S)
        else:
            return
