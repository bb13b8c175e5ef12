"""What a killed process left is told by the lock it held, and nothing else is taken for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from karez.host import leftovers, pytest_plugin

_NAME = "karez-test-"


def _made(place: Path, name: str, *, held_once: bool = True) -> Path:
    folder = place / f"{_NAME}{name}"
    folder.mkdir()
    (folder / "kept").touch()
    if held_once:
        os.close(leftovers.hold(folder))
    return folder


def test_only_what_a_killed_run_held_is_removed(tmp_path: Path) -> None:
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    for folder in (place, elsewhere):
        folder.mkdir()
    mine = os.getpid()
    killed = _made(place, f"{mine}-a")  # of a killed run whose number this process has got, as in another container
    passwords = _made(place, f"{mine}-a-passwords", held_once=False)
    running = _made(place, "4194304999-b")  # of a run whose number nobody has here
    lock = leftovers.hold(running)
    begun = _made(place, "4194304999-c", held_once=False)
    target = _made(elsewhere, "4194304999-d")
    link = place / f"{_NAME}4194304999-link"
    link.symlink_to(target)
    (place / f"{_NAME}4194304999-file").touch()
    pytest_plugin._clear_leftovers(place, tmp_path / "not there")
    assert not killed.exists() and not passwords.exists()
    assert all((folder / "kept").exists() for folder in (running, begun, target)) and link.is_symlink()
    os.close(lock)
    pytest_plugin._clear_leftovers(place)
    assert not running.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder to another user")
def test_a_folder_of_another_user_stays(tmp_path: Path) -> None:
    theirs = _made(tmp_path, "1-a")
    os.chown(theirs, 65534, 65534)
    pytest_plugin._clear_leftovers(tmp_path)
    assert (theirs / "kept").exists()


def test_only_a_server_of_the_folder_itself_is_stopped(tmp_path: Path) -> None:
    """Two processes stand for servers: one works in the killed run's cluster, the other only has the number that is
    written in another's.
    """
    cluster, other = (_made(tmp_path, name) / "pg" for name in ("1-a", "1-b"))
    for folder in (cluster, other):
        folder.mkdir()
    # As a server does it hears the signal, also where the shell that began this run does not.
    program = (
        "import signal, time; signal.signal(signal.SIGQUIT, signal.SIG_DFL); print('up', flush=True); time.sleep(60)"
    )
    server, stranger = (
        subprocess.Popen([sys.executable, "-c", program], cwd=at, stdout=subprocess.PIPE) for at in (cluster, tmp_path)
    )
    try:
        assert all(process.stdout and process.stdout.readline() == b"up\n" for process in (server, stranger))
        (cluster / "postmaster.pid").write_text(f"{server.pid}\n")
        (other / "postmaster.pid").write_text(f"{stranger.pid}\n")
        pytest_plugin._clear_leftovers(tmp_path)
        assert server.wait(20) != 0
        assert stranger.poll() is None
        assert list(tmp_path.iterdir()) == []
    finally:
        for process in (server, stranger):
            process.kill()
            process.communicate()


def test_this_run_holds_its_folder(tmp_path: Path) -> None:
    folder = Path(os.environ["KAREZ_TEST_VAR"])
    assert folder not in list(leftovers.of_killed(folder.parent, folder.name))
