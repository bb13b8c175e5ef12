"""Serving: the web server and the worker of background jobs, as two child processes that end together. Holds no pages."""

import os
import signal
import socket
import subprocess
import sys
import time

import click

from karez.kernel.refusal import Refusal

_GRACE_SECONDS = 10


def serve(*, port: int, host: str = "127.0.0.1") -> None:
    """Serves on `host:port` until interrupted; either child's end ends both."""
    _check_free(host, port)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "karez.settings"}
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
    granian += ["--workers", "1", "--blocking-threads", "4", "--no-ws", "karez.wsgi:application"]
    worker = [sys.executable, "-m", "karez.manage", "procrastinate", "worker", "--concurrency", "1"]
    children = [subprocess.Popen(words, env=environment) for words in (granian, worker)]
    click.echo(f"Karez is at http://{host}:{port}/ (Ctrl-C ends it)", err=True)
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.3)
    except KeyboardInterrupt:
        click.echo("Stopping.", err=True)
    finally:
        signal.signal(signal.SIGTERM, previous)
        _end(children)


def _check_free(host: str, port: int) -> None:
    """Refuses a port somebody serves on: the web server would share it, and requests would go to either at random."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refusal(
                "host.port_taken", record=f"{host}:{port}", found=error.strerror or str(error), expected="a free port",
                rule="one site has one address", todo="end the other server, or give --port another number",
            ) from error  # fmt: skip


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
