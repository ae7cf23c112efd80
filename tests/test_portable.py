"""No import or call exists on Linux alone without its counterpart for macOS and Windows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("simworld", "envs", "agents", "experiments")
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty"}
OWN = {
    "os": {
        *("chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg"),
        *("getpgid", "getpriority", "getuid", "killpg", "lchown", "memfd_create", "mkfifo", "nice", "pidfd_open"),
        *("pipe2", "posix_fadvise", "posix_fallocate", "pread", "pwrite", "sched_getaffinity", "sched_setaffinity"),
        *("sched_yield", "sendfile", "setpgid", "setpriority", "setsid", "splice", "statvfs", "sync", "sysconf"),
        *("uname", "wait", "wait3", "wait4", "O_CLOEXEC", "O_DIRECT", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"),
        *("O_SYNC", "O_TMPFILE", "WNOHANG", "kill", "register_at_fork"),
    },
    "signal": {
        *("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGUSR2"),
        *("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    },
    "select": {"epoll", "kqueue", "poll"},
    "socket": {"AF_UNIX", "socketpair"},
    "platform": {"freedesktop_os_release"},
    "time": {"pthread_getcpuclockid"},
    "ctypes": {"CDLL"},
}
"""Of modules that there are everywhere, what is not."""
GUARDED = {
    "simworld/cores.py": {"os.sched_getaffinity": "else all cores"},
    "simworld/disk.py": {"os.posix_fallocate": "else what is written is read back"},
    "simworld/places.py": {"os.getuid": "", "os.geteuid": "", "pwd": "", "grp": "nobody else's folders on Windows"},
    "simworld/reading.py": {"os.O_NOFOLLOW": "", "os.O_NONBLOCK": "else links are followed, and pipes waited for"},
    "simworld/writing.py": {"os.kill": "Windows removes no open file"},
    "simworld/rendering/display.py": {"socket.AF_UNIX": "", "ctypes.CDLL": "for X11, of Linux alone"},
    "simworld/datasets/formats/exchange.py": {"ctypes.CDLL": "else folders change places in two steps"},
    "agents/learning/kept_memory.py": {"ctypes.CDLL": "else memory is given back"},
    "agents/goals/play_process.py": {"os.nice": "else players are served as soon as the learner"},
    "experiments/demo.py": {
        "preexec_fn": "",
        "ctypes.CDLL": "",
        "signal.SIGKILL": "the parts of a killed demo go on elsewhere",
    },
    "experiments/machine.py": {"/proc/cpuinfo": "", "os.sysconf": "", "platform.freedesktop_os_release": "else fewer"},
    "experiments/benchmarks/measuring.py": {
        "os.sched_getaffinity": "",
        "os.sched_setaffinity": "else the process runs where it likes",
    },
    "experiments/benchmarks/store.py": {"/proc/self/statm": "else `ps` is asked"},
}
"""What is used and not there everywhere, with what happens elsewhere, said once for several that go together."""


def linux_alone(source: str) -> Iterator[str]:
    """What a source uses that is not there on every system."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name in MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                yield from [module] * (module in MODULES)
                yield from (f"{module}.{alias.name}" for alias in names if alias.name in OWN.get(module, ()))
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in OWN.get(module, ()):
                yield f"{module}.{name}"
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[ast.Name(id=module), ast.Constant(name), *_]):
                yield from [f"{module}.{name}"] * (name in OWN.get(module, ()))
            case ast.keyword(arg="preexec_fn"):
                yield "preexec_fn"
            case ast.Constant(value=str(path)) if path.startswith(("/proc/", "/dev/", "/sys/")):
                yield path
            case ast.Constant(value="fork" | "forkserver" as how):
                yield f"multiprocessing {how}"


def test_what_is_of_linux_alone_is_known_and_guarded() -> None:
    found: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):  # which enters no links
            if used := set(linux_alone(path.read_text(encoding="utf-8"))):
                found[path.relative_to(ROOT).as_posix()] = used
    assert found == {path: set(used) for path, used in GUARDED.items()}


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import getrusage", ["resource"]),
        ("from os import fork", ["os.fork"]),
        ("os.posix_fallocate(1, 0, 1)", ["os.posix_fallocate"]),
        ("hasattr(os, 'getuid')", ["os.getuid"]),
        ("signal.signal(signal.SIGTERM, f)", []),
        ("os.kill(process, signal.SIGKILL)", ["os.kill", "signal.SIGKILL"]),
        ("open('/proc/meminfo')", ["/proc/meminfo"]),
        ("get_context('fork')", ["multiprocessing fork"]),
        ("DataLoader(multiprocessing_context='forkserver' if n else None)", ["multiprocessing forkserver"]),
    ],
)
def test_what_is_of_linux_alone_is_found(source: str, used: list[str]) -> None:
    assert sorted(linux_alone(source)) == sorted(used)


ELSEWHERE = """
import os, sys
import filelock, gymnasium, numba, platformdirs.unix, pydantic, simworld as sw
for name in {missing!r}:
    if hasattr(os, name):
        delattr(os, name)
sys.modules["resource"] = None
images = {{"observation": ("state", "rgb"), "image_size": 32}}
sw.write_rollouts(sys.argv[1], "simworld/Reach-v0", episodes=1, options=images)
assert sw.verify(sys.argv[1]) == []
"""


def test_rollouts_are_written_where_there_is_nothing_of_linux_alone(tmp_path: Path) -> None:
    used = {name for each in GUARDED.values() for name in each if name.startswith("os.")}
    # Users have numbers: without, compiled loops would be kept elsewhere, and made again.
    missing = sorted(name.removeprefix("os.") for name in used - {"os.kill", "os.getuid", "os.geteuid"})
    program = ELSEWHERE.format(missing=missing)
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
