"""Every file is written whole or not at all, whatever interrupts it."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import bptt, cli, files, viz

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes of POSIX")


def loss():
    w = tg.tensor([0.5, -0.25], requires_grad=True).named("w")
    with tg.step(1):
        h = tg.tanh(w * 2).named("h")
    with tg.step(2):
        h = tg.tanh(w * h).named("h")
    return h.sum()


WRITERS = {
    "picture.svg": lambda path: viz.draw(loss()).save(path),
    "picture.html": lambda path: viz.draw(loss()).save(path),
    "picture.dot": lambda path: viz.draw(loss()).save(path),
    "chart.svg": lambda path: viz.heat_map(bptt.record(loss())).save(path),
    "chart.html": lambda path: viz.gradient_flow(bptt.record(loss())).save(path),
    "player.html": lambda path: viz.play(loss(), path),
    "model.tg": lambda path: tg.save({"w": tg.ones(2000)}, path),
    "plain.txt": lambda path: files.write(path, "text" * 5000),
}
if find_spec("vl_convert"):
    WRITERS["picture.png"] = lambda path: viz.draw(loss()).save(path)
    WRITERS["chart.pdf"] = lambda path: viz.gradient_flow(bptt.record(loss())).save(path)

writers = pytest.mark.parametrize("name", WRITERS)


def only(path: Path) -> bool:
    """Whether nothing is beside a file."""
    return list(path.parent.iterdir()) == [path]


class Full:
    """A file on a disk that becomes full in the midst of it."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def open_on_a_full_disk(*args):
    return Full(open(*args))


@writers
@pytest.mark.parametrize("old", [None, "old"])
def test_a_full_disk_leaves_what_was_there(name, old, tmp_path, monkeypatch):
    path = tmp_path / name
    if old:
        path.write_text(old)
    monkeypatch.setattr(files, "open", open_on_a_full_disk, raising=False)
    with pytest.raises(OSError, match="No space left") as caught:
        WRITERS[name](path)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(path)
    assert [p.name for p in tmp_path.iterdir()] == ([name] if old else [])
    assert not old or path.read_text() == old


@pytest.mark.parametrize("command", ["draw", "play"])
def test_the_command_line_on_a_full_disk(command, tmp_path, monkeypatch, capsys):
    path = tmp_path / "a.html"
    path.write_text("old")
    monkeypatch.setattr(files, "open", open_on_a_full_disk, raising=False)
    assert cli.main([command, "-o", str(path), "--steps", "2"]) == 2
    said = capsys.readouterr().err
    assert said == f"tinygrad-rnn: error: cannot write {path}: No space left on device\n"
    assert path.read_text() == "old"
    assert only(path)


ON_A_SMALL_DISK = """
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_files import WRITERS
for name, write in WRITERS.items():
    path = Path({disk!r}, name)
    path.write_text("old")
    try:
        write(path)
    except OSError as error:
        said = str(error)
    assert said == f"[Errno 28] No space left on device: {{str(path)!r}}", said
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path], list(path.parent.iterdir())
    path.unlink()
print("fine")
"""


def test_on_a_disk_that_is_full_indeed(tmp_path):
    """A file system of one page in memory, where one may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    code = ON_A_SMALL_DISK.format(tests=str(Path(__file__).parent), disk=str(disk))
    mount = 'mount -t tmpfs -o size=4k tmpfs "$0" && exec "$@"'
    command = ["unshare", "--user", "--mount", "--map-root-user", "sh", "-c", mount, str(disk)]
    if not shutil.which("unshare") or subprocess.run([*command, "true"]).returncode:
        pytest.skip("no file system can be mounted here")
    done = subprocess.run([*command, sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


@writers
def test_an_interruption_leaves_what_was_there(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_text("old")
    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(
                files.os, function, lambda *args: (_ for _ in ()).throw(KeyboardInterrupt)
            )
            with pytest.raises(KeyboardInterrupt):
                WRITERS[name](path)
        assert path.read_text() == "old"
        assert only(path)
    WRITERS[name](path)
    assert path.read_bytes() != b"old"
    assert only(path)


# -- what killed processes leave ---------------------------------------------------------------

WAITS = """
import os, sys, time
from tinygrad_rnn import files
def wait(*args):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = wait
files.write(sys.argv[1], "x" * 1000)
"""


@posix
def test_temporaries_of_the_dead_are_cleared_and_those_of_the_living_are_not(tmp_path):
    path, other = tmp_path / "a.svg", tmp_path / "b.svg"
    started = [
        subprocess.Popen([sys.executable, "-c", WAITS, str(p)], stdout=subprocess.PIPE, text=True)
        for p in (path, path, other)
    ]
    try:
        for process in started:
            assert process.stdout.readline() == "writing\n"
        dead, living, of_another = started
        for process in (dead, of_another):
            process.kill()
            process.wait()
        assert len(list(tmp_path.iterdir())) == 3
        files.write(path, "new")
        left = {p.name for p in tmp_path.iterdir()} - {"a.svg"}
        assert len(left) == 2
        living.kill()
        living.wait()
        files.write(path, "newer")
        assert len(list(tmp_path.iterdir())) == 2
        files.write(other, "new")
        assert {p.name for p in tmp_path.iterdir()} == {"a.svg", "b.svg"}
    finally:
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()


def test_many_that_write_one_file_at_a_time(tmp_path):
    path, texts, errors = tmp_path / "x", [letter * 20_000 for letter in "abcd"], []

    def write(text):
        try:
            for _ in range(40):
                files.write(path, text)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert not path.exists() or path.read_text() in texts
    assert not errors
    assert path.read_text() in texts
    assert only(path)


# -- links, modes, and what is no file ---------------------------------------------------------


@posix
@writers
def test_a_link_is_followed(name, tmp_path):
    (tmp_path / "there").mkdir()
    real, link, again = tmp_path / "there" / "real", tmp_path / f"a-{name}", tmp_path / f"b-{name}"
    link.symlink_to(Path("there", "real"))  # where nothing is yet
    again.symlink_to(link.name)
    WRITERS[name](again)
    first = real.read_bytes()
    real.write_text("old")
    WRITERS[name](link)
    assert len(real.read_bytes()) == len(first) > 3
    assert link.is_symlink()
    assert again.is_symlink()
    assert only(real)


@posix
@writers
def test_a_circle_of_links_is_an_error_as_of_open(name, tmp_path):
    alone, one, two = (tmp_path / f"{i}-{name}" for i in range(3))
    for link, goal in ((alone, alone), (one, two), (two, one)):
        link.symlink_to(goal)
    for link in (alone, one):
        with pytest.raises(OSError) as of_open, open(link, "w"):  # noqa: PT011
            pass
        with pytest.raises(OSError) as ours:  # noqa: PT011
            WRITERS[name](link)
        assert str(ours.value) == str(of_open.value)
        assert link.is_symlink()
    assert len(list(tmp_path.iterdir())) == 3


@posix
def test_modes(tmp_path, monkeypatch):
    path, plain, seen = tmp_path / "x", tmp_path / "plain", []

    def looking_at_modes(descriptor, *args):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return open(descriptor, *args)

    before = os.umask(0o027)
    try:
        plain.write_text("")
        files.write(path, "new")
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode) == 0o640
        for mode in (0o600, 0o644, 0o666):
            path.chmod(mode)
            with monkeypatch.context() as patch:
                patch.setattr(files, "open", looking_at_modes, raising=False)
                files.write(path, "other")
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert seen.pop() == mode  # before anything was written
    finally:
        os.umask(before)


@pytest.fixture
def refused() -> Iterator[Path]:
    """A folder of somebody whom the system refuses things; root is refused nothing."""
    folder, is_root, nobody = Path(tempfile.mkdtemp()), os.geteuid() == 0, 65534
    if is_root:
        os.chown(folder, nobody, -1)
        os.seteuid(nobody)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


@posix
def test_what_must_not_be_written_is_not(refused):
    path = refused / "x"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"x'$"):
        files.write(path, "new")
    path.chmod(0o644)
    refused.chmod(0o555)
    try:
        for name in ("x", "y"):
            with pytest.raises(PermissionError, match=f"{name}'$"):
                files.write(refused / name, "new")
    finally:
        refused.chmod(0o755)
    assert path.read_text() == "old"


@writers
def test_a_directory(name, tmp_path):
    path = tmp_path / name
    path.mkdir()
    with pytest.raises((OSError, ValueError), match=r"[iI]s a directory"):
        WRITERS[name](path)
    with pytest.raises(FileNotFoundError, match="no directory"):
        WRITERS[name](tmp_path / "missing" / name)
    assert only(path)


@posix
def test_pipes_and_devices_are_written_directly(tmp_path):
    pipe, read = tmp_path / "a.svg", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    viz.draw(loss()).save(pipe)
    reader.join(20)
    assert read[0].startswith(b"<svg")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    files.write(os.devnull, "x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout")
def test_standard_output_is_written_directly(tmp_path):
    """What was written there before, and comes after, stays: also if it is a file."""
    code = (
        "from tinygrad_rnn import files\nprint('before', flush=True)\n"
        "files.write('/dev/stdout', 'here\\n')\nprint('after', flush=True)"
    )
    link = tmp_path / "link"
    link.symlink_to("/dev/stdout")
    for place in ("/dev/stdout", str(link)):
        command = [sys.executable, "-c", code.replace("/dev/stdout", place)]
        piped = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        assert piped.stdout == "before\nhere\nafter\n"
        with open(tmp_path / "out", "ab") as out:
            subprocess.run(command, stdout=out, check=True)
    assert "after" in (tmp_path / "out").read_text()
    assert {p.name for p in tmp_path.iterdir()} == {"link", "out"}


def test_nothing_else_writes_files():
    """One writer for all: nobody else opens a file to write to it."""
    writing = re.compile(r"\.write_(text|bytes)\(|(?<!archive\.)\bopen\([^)]*[\"'][wax]")
    package = Path(files.__file__).parent
    for path in package.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        code = "\n".join(line for line in lines if not line.lstrip().startswith((">>>", "...")))
        found = writing.search(code)
        assert path.name == "files.py" or not found, f"{path.name} writes a file by itself"
