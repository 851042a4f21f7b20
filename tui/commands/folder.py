"""Where the journal may stand: a local file system, and for a whole group a folder that is the group's alone."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

NETWORKED = re.compile(
    r"nfs4?|cifs|smb\d?|smbfs|ncpfs|afs|9p|virtiofs|vboxsf|ceph|gfs2?|ocfs2|lustre|orangefs|beegfs|davfs"
    r"|(fuse\.)?(sshfs|glusterfs|cephfs|s3fs|rclone|goofys|curlftpfs|davfs2|beegfs|mfs)"
)
"""File systems that more than one host may have mounted: SQLite's locks and shared memory do not hold there."""
MOUNTS = Path("/proc/self/mountinfo")


def why_not_shared(folder: Path) -> str:
    """Why a folder cannot hold a group's journal, and what to do; empty where it can."""
    try:
        found = folder.stat()
    except OSError as error:
        says = (error.strerror or str(error)).lower()
        return f"{folder}: {says}: make it with  install -d -m 2770 -g GROUP {folder}"
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is no directory"
    if kind := network_file_system(folder):
        return f"{folder} is on {kind}, a network file system, where locks do not hold: name a local directory"
    if found.st_mode & stat.S_IWOTH:
        return f"{folder} may be written by everybody: chmod o-rwx {folder}"
    if not (found.st_mode & stat.S_ISGID and found.st_mode & stat.S_IWGRP):
        return f"{folder} is not its group's: chmod 2770 {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} may not be written by you: its group is {found.st_gid}"
    return ""


def network_file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """The network file system that a folder is on; empty where it is a local one, or where nobody can say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        real = os.path.realpath(folder)
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split(" ")[4])
        # Of two mounts on one point the later one is what is seen.
        if len(point) >= len(best) and (real == point or real.startswith(point.rstrip("/") + "/")):
            best, kind = point, after.split(" ")[0]
    return kind if NETWORKED.fullmatch(kind) else ""


def _unescaped(text: str) -> str:
    """A path of mountinfo: space, tab, newline and backslash are written in octal there."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
