"""Orthanc as the PACS of one trust."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

from infra.parts.http import accepts_post
from infra.parts.part import START_TIMEOUT_S, wait_until

USER = "trustflow"
DICOMWEB_ROOT = "/dicom-web/"
DICOMWEB_PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


@dataclass(frozen=True, slots=True)
class Orthanc:
    """`receiver_port` is where the trust node's own DICOM receiver listens, known here as `receiver_title`.

    `dicomweb` needs Debian's package `orthanc-dicomweb`. `prompt` turns Nagle's algorithm off.
    """

    directory: Path
    http_port: int
    dicom_port: int
    receiver_port: int
    password: str = field(repr=False)
    title: str = "PACS"
    receiver_title: str = "TRUSTFLOW"
    name: str = "orthanc"
    dicomweb: bool = False
    prompt: bool = True
    stop_signal: Signals = Signals.SIGTERM

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicomweb_url(self) -> str:
        return self.url + DICOMWEB_ROOT.rstrip("/")

    @property
    def command(self) -> list[str]:
        return ["/usr/sbin/Orthanc", str(self._configuration)]

    @property
    def env(self) -> Mapping[str, str]:
        # DCMTK leaves Nagle's algorithm on: 20 images a second instead of some hundred.
        return {"TCP_NODELAY": str(int(self.prompt))}

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configuration.touch(0o600)
        self._configuration.write_text(json.dumps(self._settings(), indent=2))

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until Orthanc echoes itself over DICOM when asked over HTTP: both doors are open."""
        wait_until(self._echoes_itself, self, timeout_s)

    def _echoes_itself(self) -> bool:
        return accepts_post(self.http_port, "/modalities/self/echo", USER, self.password)

    @property
    def _configuration(self) -> Path:
        return self.directory / "orthanc.json"

    def _settings(self) -> dict[str, object]:
        storage = str(self.directory / "storage")
        return {
            "Name": self.name,
            "StorageDirectory": storage,
            "IndexDirectory": storage,
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: self.password},
            "DicomPort": self.dicom_port,
            "DicomAet": self.title,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomAlwaysAllowStore": True,
            "DicomModalities": {
                "receiver": [self.receiver_title, "127.0.0.1", self.receiver_port],
                "self": [self.title, "127.0.0.1", self.dicom_port],
            },
            "UnknownSopClassAccepted": True,
            "CaseSensitivePN": True,
            "OverwriteInstances": False,
            "StableAge": 1,
            "Plugins": [DICOMWEB_PLUGIN] if self.dicomweb else [],
            "DicomWeb": {"Enable": self.dicomweb, "Root": DICOMWEB_ROOT},
        }
