"""Where a group's journal may stand, and that its people share it there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.commands.configs import health_only
from tests.running import Program
from tests.servers.things import Things
from tui.commands.folder import network_file_system, why_not_shared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    made.chmod(0o2770)
    return made


def mounts(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text("\n".join(lines) + "\n")
    return path


ROOT = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "9p", "ceph", "fuse.s3fs", "smb3", "lustre", "fuse.glusterfs"]
)
def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path, kind: str) -> None:
    found = mounts(tmp_path, ROOT, f"40 22 0:44 / {tmp_path} rw - {kind} server:/export rw")
    assert network_file_system(tmp_path / "below" / "it", found) == kind


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.gocryptfs", "fuseblk"])
def test_a_local_one_is_none(tmp_path: Path, kind: str) -> None:
    found = mounts(tmp_path, ROOT, f"40 22 0:44 / {tmp_path} rw shared:2 master:1 - {kind} /dev/vdb rw")
    assert network_file_system(tmp_path, found) == ""


def test_the_nearest_mount_counts_and_of_two_on_one_point_the_later(tmp_path: Path) -> None:
    below = tmp_path / "with space"
    lines = (
        ROOT,
        f"40 22 0:44 / {tmp_path} rw - nfs4 server:/export rw",
        f"41 40 0:45 / {tmp_path}/with\\040space rw - ext4 /dev/vdb rw",
    )
    assert network_file_system(below, mounts(tmp_path, *lines)) == ""
    assert network_file_system(tmp_path / "with", mounts(tmp_path, *lines)) == "nfs4"
    later = f"42 41 0:46 / {tmp_path}/with\\040space rw - nfs server:/export rw"
    assert network_file_system(below, mounts(tmp_path, *lines, later)) == "nfs"


def test_where_nobody_can_say_it_counts_as_local(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, tmp_path / "nowhere") == ""


def test_a_group_folder_is_its_groups_alone(folder: Path) -> None:
    assert why_not_shared(folder) == ""
    folder.chmod(0o2777)
    assert why_not_shared(folder).endswith(f"chmod o-rwx {folder}")
    for mode in (0o770, 0o2700):
        folder.chmod(mode)
        assert why_not_shared(folder).endswith(f"chmod 2770 {folder}")


def test_a_folder_that_is_not_there_is_said_how_to_make(tmp_path: Path) -> None:
    assert f"install -d -m 2770 -g GROUP {tmp_path / 'none'}" in why_not_shared(tmp_path / "none")
    (tmp_path / "file").write_text("")
    assert "is no directory" in why_not_shared(tmp_path / "file")


def test_people_of_a_group_share_the_file(program: Program, things: Things, folder: Path) -> None:
    for name in ("one.toml", "another.toml"):
        path = program.config(health_only(things, f'[journal]\nfolder = "{folder}"\n'), name)
        previous = os.umask(0o077)
        try:
            assert program.run("journal", "--config", path).returncode == 0
        finally:
            os.umask(previous)
    (journal,) = folder.glob("*.sqlite")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o660, "whatever the umask was"
    assert journal.stat().st_gid == folder.stat().st_gid
    assert not list((program.folder / "state").rglob("*.sqlite"))


def test_a_folder_that_cannot_be_shared_is_refused_with_the_reason(program: Program, things: Things, folder: Path) -> None:
    folder.chmod(0o777)
    path = program.config(health_only(things, f'[journal]\nfolder = "{folder}"\n'))
    done = program.run("record", "--config", path)
    assert done.returncode == 5
    assert f"[journal] folder: {folder} may be written by everybody" in done.stderr
    assert program.run("check", "--config", path).returncode == 0, "monitoring goes on"


def test_a_folder_that_is_no_whole_path_is_a_mistake(program: Program, things: Things) -> None:
    done = program.run("config", "check", "--config", program.config(health_only(things, '[journal]\nfolder = "here"\n')))
    assert done.returncode == 78
    assert "journal.folder" in done.stderr
