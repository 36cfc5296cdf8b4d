"""nginx, a real server of files, with troubles that its configuration makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.ports import free_port, stop, wait_for

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/octet-stream;
  keepalive_requests {keepalive_requests};
  limit_conn_zone $server_name zone=all:1m;
  split_clients "$request_id" $unlucky {{ {unlucky}% "1"; * ""; }}
  server {{
    listen 127.0.0.1:{port};
    server_name everybody;
    root {folder}/files;
    location / {{ {trouble} }}
    location @busy {{ internal; add_header Retry-After 1 always; return 503; }}
  }}
}}
"""


def nginx_command() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@contextmanager
def running_nginx(
    folder: Path, files: dict[str, bytes], trouble: str = "", *, unlucky: int = 50, keepalive_requests: int = 1000
) -> Iterator[str]:
    """Its endpoint. `trouble`: directives for every request; `$unlucky` is 1 for so many per cent of them, `@busy` answers 503."""
    command = nginx_command()
    assert command is not None, "nginx is missing: apt-get install nginx-light"
    (folder / "files").mkdir(parents=True)
    for name, content in files.items():
        (folder / "files" / name).write_bytes(content)
    for _ in range(5):
        port = free_port()
        settings = {"folder": folder, "port": port, "trouble": trouble, "unlucky": unlucky, "keepalive_requests": keepalive_requests}
        (folder / "nginx.conf").write_text(_CONFIGURATION.format(**settings))
        process = subprocess.Popen([command, "-e", str(folder / "errors"), "-p", str(folder), "-c", str(folder / "nginx.conf")])
        if wait_for(port, process):
            break
        stop(process)
    else:
        raise AssertionError((folder / "errors").read_text()[-2000:])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)
