"""KIE and its media host as one nginx: they answer at once and leave the cores to what is measured.

Every task is finished, and every result is the same file.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import free_port, running, wait_for_port

BLOCK = bytes(range(256)) * 4096
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        root {folder};
        location = /api/v1/jobs/recordInfo {{
            default_type application/json;
            return 200 '{answer}';
        }}
        location /media/ {{
            limit_rate {bytes_per_second};
            try_files /result.mp4 =404;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Host:
    """Where KIE and its files are."""

    url: str

    def record_url(self, task_id: str) -> str:
        """recordInfo of a task."""
        return f"{self.url}/api/v1/jobs/recordInfo?taskId={task_id}"

    def media_url(self, task_id: str) -> str:
        """The file of a task."""
        return f"{self.url}/media/{task_id}.mp4"


@contextmanager
def nginx(folder: Path, file_bytes: int, bytes_per_second: int = 0) -> Iterator[Host]:
    """A host whose results have this size; sent no faster than this, each, unless it is 0."""
    folder.mkdir()
    write_video(folder / "result.mp4", file_bytes)
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            answer=_answer(f"http://127.0.0.1:{port}"),
            bytes_per_second=bytes_per_second,
        )
    )
    command = ["nginx", "-p", str(folder), "-c", str(settings)]
    with running(command, folder, {}):
        wait_for_port(port)
        yield Host(f"http://127.0.0.1:{port}")


def _answer(base_url: str) -> str:
    """What recordInfo says of any task, as a string of nginx's configuration."""
    result = json.dumps({"resultUrls": [Host(base_url).media_url("$arg_taskId")]})
    record = {"taskId": "$arg_taskId", "state": "success", "resultJson": result}
    return json.dumps({"code": 200, "msg": "success", "data": record}).replace("\\", "\\\\")


def write_video(path: Path, size: int) -> None:
    """An MP4 as far as its boxes go, of exactly this size, of bytes that are really there."""
    head = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom") + struct.pack(
        ">I4s", 8, b"moov"
    )
    left = size - len(head)
    head += struct.pack(">I4s", left, b"mdat")
    with path.open("wb") as file:
        file.write(head)
        for start in range(len(head), size, len(BLOCK)):
            file.write(BLOCK[: size - start])
