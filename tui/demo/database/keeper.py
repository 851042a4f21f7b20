"""The process between the stack and its PostgreSQL: `python -m tui.demo.database.keeper`.

It is here for one moment: when the stack is gone, however it went, it shuts the server down and removes its files.
It imports the standard library alone, ignores signals (a Ctrl-C is the stack's business) and waits on a pipe.

Lines it hears: `{"remove": [PATH…]}` once, then `{"argv", "user", "log"}` for each start. It says `{"exited": CODE}` when a
server ended by itself.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

STEPS = ((signal.SIGINT, 1.2), (signal.SIGQUIT, 0.8), (signal.SIGKILL, 1.0))
"""Ways to end PostgreSQL, with the seconds each is given: fast, immediate, by force."""
PR_SET_PDEATHSIG = 1


def main() -> None:
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN)
    remove: list[Path] = []
    server: subprocess.Popen[bytes] | None = None
    for line in sys.stdin:
        message = json.loads(line)
        if "remove" in message:
            remove = [Path(path) for path in message["remove"]]
        else:
            server = _start(message)
            threading.Thread(target=_report, args=(server,), daemon=True).start()
    if server is not None:
        _end(server)
    for path in remove:
        _remove(path)
    os._exit(0)


def _start(message: dict[str, Any]) -> subprocess.Popen[bytes]:
    with Path(message["log"]).open("ab") as log:
        return subprocess.Popen(
            message["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            user=message["user"],
            group=None if message["user"] is None else _group(message["user"]),
            extra_groups=None if message["user"] is None else [],
            preexec_fn=_end_with_keeper,
        )


def _report(server: subprocess.Popen[bytes]) -> None:
    code = server.wait()
    with suppress(OSError):
        print(json.dumps({"exited": code}), flush=True)


def _end(server: subprocess.Popen[bytes]) -> None:
    for which, within in STEPS:
        with suppress(subprocess.TimeoutExpired):
            server.send_signal(which)
            server.wait(within)
            return


def _remove(path: Path) -> None:
    """A folder with all in it; a link only once it leads nowhere, for another stack may own it by now."""
    if not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif not path.exists():
        path.unlink(missing_ok=True)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _end_with_keeper() -> None:
    """Runs in the new process: where the system can, a keeper killed by force takes its server with it."""
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


if __name__ == "__main__":
    main()
