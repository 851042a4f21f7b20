"""Types that msgspec decodes, met by several threads at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT

AT_ONCE = """
import sys, threading
from tests import story
from tui.engine.follow import Line, packed, unpacked
sys.setswitchinterval(1e-6)
data = packed(Line(story.snapshot().panels[0].probes[0], True))
starts, found = threading.Barrier(8), []
def work():
    starts.wait()
    found.append(unpacked(data, Line) is not None)
threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(found)
"""


def test_threads_may_meet_a_type_at_the_same_time() -> None:
    """Without the lock each such process ends with SIGSEGV."""
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, str([True] * 8)), done.stderr[-2000:]


def decoding(path: Path) -> list[ast.Call]:
    """The calls in a module that have msgspec look through a type."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [each for each in calls if ast.unparse(each.func).startswith(("msgspec.", "decoder"))]
    return [each for each in named if typed(each) is not None]


def typed(call: ast.Call) -> ast.expr | None:
    """The type that a call of msgspec decodes into, where it names one."""
    name = ast.unparse(call.func).rpartition(".")[2]
    place = {"decoder": 0, "Decoder": 0, "convert": 1, "decode": 1}.get(name)
    if place is None:
        return None
    named = [each.value for each in call.keywords if each.arg == "type"]
    return next(iter([*named, *call.args[place:]]), None)


def test_every_type_goes_through_one_door() -> None:
    paths = [each for part in ("tui", "panels") for each in (ROOT / part).rglob("*.py") if each.name != "decoding.py"]
    found = [(path, ast.unparse(call), kind) for path in paths for call in decoding(path) if (kind := typed(call)) is not None]
    assert len(found) >= 7
    through = [each for each in found if each[1].startswith("decoder(") or ast.unparse(each[2]).startswith("decodable(")]
    assert found == through
