"""The commands as scripts and people run them: names, flags, exit codes for wrong usage and bad configs."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.commands.configs import health_only, watching
from tests.running import Program, ended
from tests.servers.things import Things
from tui.cli_flags import parser

ALL = ("act", "check", "config", "demo", "journal", "mark", "report")


def test_help_names_every_command(program: Program) -> None:
    done = program.run("--help")
    assert done.returncode == 0
    for name in ALL:
        assert re.search(rf"^ +{name} +\S", done.stdout, re.M), name
    for option in ("--config", "--env", "--read-only", "--ascii"):
        assert option in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["act"],
        ["config"],
        ["config", "check"],
        ["config", "show"],
        ["journal"],
        ["report"],
        ["mark"],
        ["demo"],
        ["demo", "fault"],
    ],
)
def test_every_command_explains_itself(program: Program, command: list[str]) -> None:
    done = program.call(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 4


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--theme", "day"], "watchfloor: there is no option --theme; try: watchfloor --help"),
        (["chekc", "--json"], "watchfloor: there is no command 'chekc', did you mean 'check'?; there are: check, act,"),
        (["config", "verify"], "watchfloor config: there is no command 'verify'; there are: check, show, schema, init;"),
    ],
)
def test_a_wrong_word_is_told_from_a_wrong_option(wrong: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(wrong)
    assert ended.value.code == 64
    assert capsys.readouterr().err.startswith(says)


def test_the_version(program: Program) -> None:
    done = program.call("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"watchfloor, version \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize(
    "wrong",
    [
        ["explode"],
        ["--no-such-flag"],
        ["check", "--for"],
        ["check", "--for", "soon"],
        ["check", "--for", "-1"],
        ["check", "extra"],
        ["act"],
        ["config", "explode"],
        ["journal", "--since", "yesterday"],
        ["demo", "--seed", "x"],
        ["demo", "fault"],
    ],
)
def test_wrong_usage_is_64_with_words_on_stderr(program: Program, things: Things, wrong: list[str]) -> None:
    program.more["WATCHFLOOR_CONFIG"] = str(program.config(health_only(things)))
    done = program.call(*wrong)
    assert done.returncode == 64, done
    assert done.stdout == ""
    assert done.stderr


def test_a_bad_config_is_78_for_every_command_that_needs_one(program: Program) -> None:
    path = program.config("[watchfloor]\nnme = 1\n")
    for command in (
        ["check"],
        ["act", "x.y"],
        ["config", "check"],
        ["config", "show"],
        ["journal"],
        ["report"],
        ["mark", "x"],
        [],
    ):
        done = (program.call if command else program.run)("--config", path, *command)
        assert (done.returncode, done.stdout) == (78, ""), command
        assert f"{path}:2: watchfloor.nme: unknown key 'nme', did you mean 'name'?" in done.stderr


def test_config_may_stand_before_or_behind_the_command(program: Program, things: Things) -> None:
    path = program.config(health_only(things))
    assert program.call("--config", path, "check").returncode == 0
    assert program.call("check", "--config", path).returncode == 0


def test_the_config_of_the_environment_variable_the_folder_or_the_user(program: Program, things: Things) -> None:
    assert program.call("check").returncode == 78
    usual = program.folder / "config" / "watchfloor"
    usual.mkdir()
    (usual / "config.toml").write_text(health_only(things).replace("shop", "usual"))
    assert program.call("check").stdout.startswith("usual ")
    program.config(health_only(things).replace("shop", "here"), "config.toml")
    assert program.call("check").stdout.startswith("here ")
    program.more["WATCHFLOOR_CONFIG"] = str(program.config(health_only(things).replace("shop", "named")))
    assert program.call("check").stdout.startswith("named ")
    program.config(health_only(things).replace("shop", "staging"), "mine.staging.toml")
    assert program.call("check", "--env", "staging").stdout.startswith("staging ")


def test_a_reader_that_leaves_early_is_no_error(program: Program) -> None:
    process = program.start("config", "schema")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert ended(process) == 0
    assert process.stderr.read() == ""


def test_a_reader_that_leaves_early_changes_no_exit_code(program: Program, things: Things) -> None:
    things.behaves["a"] = "hang"
    path = program.config(watching(things, 'acts_within = "2s"'))
    process = program.start("act", "theirs.mend", "a", "--yes", "--config", path)
    assert process.stdout is not None
    process.stdout.close()
    assert ended(process) == 6


@pytest.mark.parametrize("way", [">/dev/full", ">&-", "2>/dev/full", ">&- 2>&-"])
def test_nor_does_a_stream_that_takes_nothing(program: Program, things: Things, way: str) -> None:
    """A deed's outcome is its exit code, also where a full disk takes no word of it."""
    path = program.config(watching(things))
    command = ["sh", "-c", f'exec "$@" {way}', "sh", *program.argv, "act", "theirs.mend", "a", "--yes", "--config", str(path)]
    done = subprocess.run(command, env=program.environment, cwd=program.work, capture_output=True, text=True, timeout=90)
    assert (done.returncode, things.states["a"]) == (0, "well"), done.stderr
    said = "what was to be printed could not be written: No space left on device\n" if way == ">/dev/full" else ""
    assert done.stderr == said


def test_config_check_connects_to_each_source(program: Program, things: Things) -> None:
    more = '[[panel]]\nkind = "health"\nname = "gone"\nendpoints = ["http://127.0.0.1:9/readyz"]\n'
    path = program.config(health_only(things, more))
    assert program.call("config", "check", "--config", path).returncode == 0
    assert things.polled == [], "without --connect nobody is asked"
    done = program.run("config", "check", "--connect", "--config", path)
    assert done.returncode == 1
    assert re.search(r"^reached   health  readyz  http\S+: ok$", done.stdout, re.M)
    assert re.search(r"^NOT reached  gone  readyz  http\S+: connect: connection refused$", done.stdout, re.M)
