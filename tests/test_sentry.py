"""Crash reports: off unless asked for, and without anything that is nobody's business.

A local HTTP server stands in for Sentry; the real SDK sends to it.
"""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.running import ROOT
from tests.servers.listening import Handler, listening
from tests.waiting import Stopwatch, eventually
from tui import sentry
from tui.engine.secrets import SecretText

CANARY = "canary/quince horse+staple"  # no part of it may come about by chance, as digits do in times and ids


@contextmanager
def receiver(*, answers: bool = True) -> Iterator[tuple[str, list[str]]]:
    """A DSN, and everything that was sent to it, unpacked."""
    received: list[str] = []
    ended = threading.Event()

    class Asked(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(gzip.decompress(body).decode() if self.headers.get("content-encoding") == "gzip" else body.decode())
            if not answers:
                ended.wait(20)
            self.reply(200, b"")

    try:
        with listening(Asked) as port:
            yield f"http://publickey@127.0.0.1:{port}/1", received
    finally:
        ended.set()


CRASH = """
import asyncio, logging, os, sys, threading, urllib.request
from urllib.parse import quote
from tui import sentry
from tui.engine.secrets import SecretText

async def begin():
    await sentry.start(SecretText("env:SENTRY_DSN"), "demo")
    return await SecretText("env:CANARY").reveal()

def connect(password):
    headers = {"Authorization": f"Bearer {password}", "nested": [{"password": password}]}
    statement = f"SELECT * FROM users WHERE token = '{password}'"
    raise ConnectionError(f"connect failed to postgresql://app:{quote(password, safe='')}@db/shop with {password}")

secret = asyncio.run(begin())
logging.error("about to log in with %s", secret)
import sentry_sdk
sentry_sdk.add_breadcrumb(message=f"GET /?token={secret}", data={"headers": {"x": secret}})
sentry_sdk.set_context("request", {"url": f"https://shop.example/?key={secret}", secret: "as a key"})
HOW
"""
AT_THE_TOP = "connect(secret)"
IN_A_THREAD = "thread = threading.Thread(target=connect, args=(secret,)); thread.start(); thread.join()"
CAUGHT = "try:\n    connect(secret)\nexcept ConnectionError as error:\n    sentry.report(error)"


def crash(dsn: str, how: str) -> tuple[str, float]:
    """What the crash wrote on its error output, and after how many seconds that the machine gave it had ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH.replace("HOW", how), "--password", CANARY],
        cwd=ROOT,
        env={"SENTRY_DSN": dsn, "CANARY": CANARY, "PATH": "/usr/bin", "HOME": "/nowhere"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch, took = Stopwatch(process.pid), 0.0

    def over() -> bool:
        nonlocal took
        took = watch.took  # while it is there to be looked at
        return process.poll() is not None

    eventually(over)
    _, wrote = process.communicate()
    return wrote, took


@pytest.mark.parametrize("how", [AT_THE_TOP, IN_A_THREAD, CAUGHT])
def test_a_crash_is_reported_without_a_secret_in_it(how: str) -> None:
    with receiver() as (dsn, received):
        crash(dsn, how)
        (envelope,) = eventually(lambda: received)
    for secret in (CANARY, "canary", "quince", "staple", "horse"):
        assert secret not in envelope
    event = json.loads(envelope.splitlines()[2])
    (error,) = event["exception"]["values"]
    assert error["type"] == "ConnectionError"
    assert error["value"] == "connect failed to postgresql://app:•••@db/shop with •••"
    frames = error["stacktrace"]["frames"]
    assert frames[-1]["function"] == "connect"
    assert not any({"vars", "context_line", "pre_context", "abs_path"} & set(frame) for frame in frames)
    assert (event["environment"], event["release"]) == ("demo", "watchfloor@0.1.0")


def test_neither_host_nor_arguments_nor_modules_nor_log_lines_leave() -> None:
    with receiver() as (dsn, received):
        crash(dsn, AT_THE_TOP)
        (envelope,) = eventually(lambda: received)
    event = json.loads(envelope.splitlines()[2])
    assert socket.gethostname() not in envelope
    assert event["server_name"] == ""
    assert "sys.argv" not in envelope and "--password" not in envelope
    assert "modules" not in event
    assert "about to log in" not in envelope


def test_a_sentry_that_does_not_answer_delays_the_exit_by_a_second_at_most() -> None:
    with receiver() as (dsn, _):
        _, usual = crash(dsn, CAUGHT)
    with receiver(answers=False) as (dsn, received):

        def ends_soon() -> bool:
            wrote, took = crash(dsn, CAUGHT)
            assert "Sentry" not in wrote, "nothing is written onto the screen"
            return took - usual < 1.5

        eventually(ends_soon)  # a machine that stood still meanwhile has to show it again
        eventually(lambda: received)


def test_a_report_where_it_is_off_is_nothing() -> None:
    sentry.report(RuntimeError("nobody asked"))


async def test_what_is_no_dsn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_DSN", "hello")
    monkeypatch.setattr("tui.engine.secrets.known_values", set())
    with pytest.raises(ValueError, match="no DSN: expected https://KEY@HOST/PROJECT"):
        await sentry.start(SecretText("env:NO_DSN"), "demo")


CHECK_IN = """
import asyncio
from tui import sentry
from tui.engine.secrets import SecretText

async def begin():
    await sentry.start(SecretText("env:SENTRY_DSN"), "demo")
    return await SecretText("env:CANARY").reveal()

secret = asyncio.run(begin())
sentry.check_in("watchfloor-shop-demo", True)
sentry.check_in("watchfloor-shop-demo", False)
"""


def test_a_check_in_names_its_monitor_and_when_the_next_is_due() -> None:
    with receiver() as (dsn, received):
        done = ended(dsn, CHECK_IN)
        assert done.returncode == 0, done.stderr
        eventually(lambda: len(received) == 2)
        check_ins = [json.loads(envelope.splitlines()[2]) for envelope in received]
    assert [json.loads(envelope.splitlines()[1])["type"] for envelope in received] == ["check_in", "check_in"]
    assert [(each["monitor_slug"], each["status"]) for each in check_ins] == [
        ("watchfloor-shop-demo", "ok"),
        ("watchfloor-shop-demo", "error"),
    ]
    assert check_ins[0]["monitor_config"]["schedule"] == {"type": "interval", "value": 1, "unit": "minute"}
    assert not any(socket.gethostname() in envelope or CANARY in envelope for envelope in received)


def test_without_a_dsn_nobody_is_told_that_it_lives() -> None:
    code = "import sys; from tui import sentry; sentry.check_in('x', True); print('sentry_sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n"


def ended(dsn: str, code: str) -> subprocess.CompletedProcess[str]:
    """Runs code that reports by itself, to its end."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"SENTRY_DSN": dsn, "CANARY": CANARY, "PATH": "/usr/bin", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=90,
    )
