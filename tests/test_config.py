"""config.toml: what a person may type, what came of it, and how mistakes are told: all at once, with place and suggestion."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import theirs
from tests.running import Program
from tui.commands.config import STARTER
from tui.config import Loaded, load
from tui.config_places import places
from tui.config_schema import schema
from tui.config_source import ConfigError, find
from tui.engine.installed import installed_kinds
from tui.engine.panel import Threshold, load_card
from tui.engine.rules import Rule
from tui.engine.rules.mean import Mean

HEALTH = '[[panel]]\nkind = "health"\nendpoints = ["https://shop.example/readyz"]\n'


@dataclass
class Folder:
    """Configs in a folder of their own."""

    path: Path

    def write(self, text: str, name: str = "config.toml") -> Path:
        path = self.path / name
        path.write_text(text)
        return path

    def load(self, text: str, name: str = "config.toml") -> Loaded:
        return load(self.write(text, name))

    def mistakes(self, text: str) -> list[str]:
        """What is wrong, as `LINE: PATH: WORDS`, the file's name left out."""
        path = self.write(text)
        with pytest.raises(ConfigError) as found:
            load(path)
        said = [str(each) for each in found.value.mistakes]
        assert all(each.startswith(f"{path}:") and "\n" not in each for each in said), said
        return [each.removeprefix(f"{path}:").strip() for each in said]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    for name in ("WATCHFLOOR_CONFIG", "WATCHFLOOR_USER", "ADMIN_TOKEN", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return Folder(tmp_path)


# --- what came of it -----------------------------------------------------------------------------------------------------


def test_a_few_lines_are_a_whole_config(folder: Folder) -> None:
    loaded = folder.load(HEALTH)
    setup = loaded.setup
    assert (setup.name, setup.environment, setup.production, setup.interval) == ("watchfloor", "production", True, 5.0)
    assert [(panel.name, panel.kind) for panel in setup.panels] == [("health", "health")]
    assert (setup.allow, setup.warnings, loaded.sentry_dsn) == ((), (), None)
    assert {rule.name for rule in setup.rules} == {"ServiceDown", "Uptime"}, "the panel brings its own rules"


@pytest.mark.parametrize(
    ("environment", "said", "production"),
    [
        ("production", "", True),
        ("prod-eu", "", True),
        ("staging", "", False),
        ("Demo", "", False),
        ("staging", "production = true", True),
        ("production", "production = false", False),
    ],
)
def test_what_counts_as_production(folder: Folder, environment: str, said: str, production: bool) -> None:
    setup = folder.load(f'[watchfloor]\nenvironment = "{environment}"\n{said}\n{HEALTH}').setup
    assert (setup.environment, setup.production) == (environment, production)


def test_who_acts_is_the_environments_then_the_configs_then_the_login(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "login")
    assert folder.load(HEALTH).setup.user == "login"
    assert folder.load(f'[watchfloor]\nuser = "team"\n{HEALTH}').setup.user == "team"
    monkeypatch.setenv("WATCHFLOOR_USER", "anna")
    assert folder.load(f'[watchfloor]\nuser = "team"\n{HEALTH}').setup.user == "anna"


def test_each_environment_has_a_journal_of_its_own(folder: Folder) -> None:
    one = folder.load(HEALTH).setup.identity
    other = folder.load(f'[watchfloor]\nenvironment = "staging"\n{HEALTH}').setup.identity
    elsewhere = folder.load(HEALTH, "other.toml").setup.identity
    assert len({one, other, elsewhere}) == 3
    assert folder.load(f'{HEALTH}interval = "9s"\n').setup.identity == one, "and keeps it when the config changes"


def rule_of(loaded: Loaded, name: str) -> Rule:
    (found,) = [each for each in loaded.setup.rules if each.name == name]
    return found


def test_a_rule_of_ones_own(folder: Folder) -> None:
    loaded = folder.load(
        HEALTH + '[[rule]]\nname = "slow"\nsignal = \'health.latency{endpoint="readyz*"}\'\nabove = "1500ms"\nfor = "5m"\n'
        'severity = "P2"\nwindow = "10m"\nwhy = "users wait"\nlink = "https://shop.example/runbook"\nplaybook = "4.1"\n'
    )
    rule = rule_of(loaded, "slow")
    assert (rule.panel, rule.signal, rule.way, rule.unit) == ("health", "latency", "above", "s")
    assert rule.levels == (Threshold("P2", 1.5, 300.0),)
    assert (rule.labels, rule.measure) == ((("endpoint", "readyz*"),), Mean(600.0))
    assert (rule.why, rule.link, rule.playbook) == ("users wait", "https://shop.example/runbook", "4.1")


def test_a_rule_with_two_levels(folder: Folder) -> None:
    loaded = folder.load(
        HEALTH + '[[rule]]\nname = "up"\nsignal = "health.uptime"\nP1 = { below = "99 %" }\nP0 = { below = 0.95, for = "1m" }\n'
    )
    assert rule_of(loaded, "up").levels == (Threshold("P0", 0.95, 60.0), Threshold("P1", 0.99, 0.0))


def test_a_rule_of_the_same_name_replaces_the_panels_own_or_switches_it_off(folder: Folder) -> None:
    own = '[[rule]]\nname = "ServiceDown"\nsignal = "health.up"\nbelow = 1\nfor = "10s"\nseverity = "P1"\n'
    loaded = folder.load(HEALTH + own)
    assert rule_of(loaded, "ServiceDown").levels == (Threshold("P1", 1.0, 10.0),)
    loaded = folder.load(HEALTH + '[[rule]]\nname = "Uptime"\nenabled = false\n')
    assert {rule.name for rule in loaded.setup.rules} == {"ServiceDown"}


def test_what_a_later_version_reads_is_noted_not_refused(folder: Folder) -> None:
    (warning,) = folder.load(HEALTH + "[layout.night]\ncolumns = []\n").setup.warnings
    assert "layout" in warning and "later version" in warning


def watched_and_journal(folder: Folder, dsn: str, url: str) -> list[str]:
    text = f'[[panel]]\nkind = "database"\ndsn = "{dsn}"\n[journal]\nurl = "{url}"\n'
    return list(folder.load(text).setup.warnings)


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        ("postgresql://watch@db.example/shop", "postgresql://team:{env:DB_PASSWORD}@db.example:5432/shop?sslmode=require"),
        ("host=DB.example dbname=shop user=watch", "postgresql://team@db.example/shop"),
        ("postgresql://localhost/shop", "host=127.0.0.1 port=5432 dbname='shop'"),
        ("env:SHOP_DSN", "postgresql://team@db.example/shop"),
        ("postgresql://a,b:5433/shop", "postgresql://team@a,b:5433/shop"),
    ],
)
def test_a_team_journal_in_a_database_that_is_watched_is_warned_of(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, dsn: str, url: str
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cret-pw")
    monkeypatch.setenv("SHOP_DSN", "postgresql://watch:s3cret-pw@db.example/shop")
    (warning,) = watched_and_journal(folder, dsn, url)
    assert "is a database that the panel database watches" in warning
    assert "s3cret" not in warning


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://team@notes.example/shop",
        "postgresql://team@db.example:5433/shop",
        "postgresql://team@db.example/notes",
        "service=notes",
        "file:/dev/null",
    ],
)
def test_a_team_journal_elsewhere_is_not(folder: Folder, url: str) -> None:
    if url == "file:/dev/null":
        (folder.path / "dsn").write_text("postgresql://watch@db.example/shop")
        url = f"file:{folder.path / 'dsn'}"
    assert watched_and_journal(folder, "postgresql://watch@db.example/shop", url) == []


def watched_with(folder: Folder, monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    metrics = '[[panel]]\nkind = "metrics"\nprometheus = "env:PROMETHEUS"\nheaders = { Authorization = "env:TOKEN" }\n'
    return folder.load(f'[[panel]]\nkind = "database"\ndsn = "env:DSN"\n{metrics}').setup.watched


def test_one_config_in_two_shells_that_mean_other_places_has_two_pollers(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = {"DSN": "postgresql://watch:one@db.example/shop", "PROMETHEUS": "http://prometheus:9090", "TOKEN": "Bearer one"}
    production = watched_with(folder, monkeypatch, **shell)
    others = [{"DSN": "postgresql://watch:one@staging.example/shop"}, {"PROMETHEUS": "http://staging:9090"}]
    assert production not in [watched_with(folder, monkeypatch, **shell | other) for other in others]
    secrets = {"DSN": "postgresql://watch:two@db.example:5432/shop", "TOKEN": "Bearer two"}
    assert watched_with(folder, monkeypatch, **shell | secrets) == production, "a secret that was rotated is no other place"


def test_a_password_in_the_journals_url_is_refused(folder: Folder) -> None:
    with pytest.raises(ConfigError, match="a password never stands in the config"):
        folder.load(HEALTH + '[journal]\nurl = "postgresql://team:s3cret@db.example/notes"\n')


# --- mistakes ------------------------------------------------------------------------------------------------------------

EVERYTHING = """\
[watchfloor]
nmae = "shop"
interval = 5

[actions]
allow = ["jobs.*"]

[[panel]]
kind = "helth"

[[panel]]
kind = "health"
endpoints = ["shop.example/readyz"]
known_good = "1.1.1.1:53"

[[panel]]
kind = "health"

[[panel.endpoint]]
name = "admin"
url = "https://shop.example/admin"
headers = { Authorization = "Bearer {env:ADMIN_TOKEN}" }
deadlin = "3s"

[[rule]]
name = "slow"
signal = "health.latencyy"
above = 2
severity = "P1"
"""


def test_every_mistake_is_reported_at_once_with_its_place_and_a_suggestion(folder: Folder) -> None:
    assert folder.mistakes(EVERYTHING) == [
        "2: watchfloor.nmae: unknown key 'nmae', did you mean 'name'?; known: deadline, environment, interval, name, "
        "production, theme, user, version",
        '3: watchfloor.interval: a duration needs a unit: write "5s" or "5m"',
        "9: panel helth.kind: unknown kind 'helth', did you mean 'health'?; there are: " + ", ".join(sorted(installed_kinds())),
        '13: panel health.endpoints[0].url: expected a URL that begins with https:// or http://, found "shop.example/readyz"',
        '14: panel health.known_good: expected a list: write ["1.1.1.1:53"]',
        "16: panel health.name: two panels are called health: give each a name of its own",
        "22: panel health.endpoint admin.headers: Authorization: the environment variable ADMIN_TOKEN is not set",
        "23: panel health.endpoint admin.deadlin: unknown key 'deadlin', did you mean 'deadline'?; known: "
        + ", ".join(sorted(["ca", "cert", "contract", "deadline", "depends_on", "expect", "failures", "headers", "healthy"]))
        + ", interval, key, method, name, proxy, redirects, url",
        "27: rule slow.signal: the panel health has no signal latencyy, did you mean 'latency'?; it has: up, latency, "
        "latency_p95, uptime, certificate_left",
    ]


def test_the_mark_that_windows_editors_put_first_is_no_mistake(folder: Folder) -> None:
    assert folder.load("\ufeff" + HEALTH.replace("\n", "\r\n")).setup.panels


def test_the_same_from_the_shell_with_exit_code_78(tmp_path: Path) -> None:
    program = Program(tmp_path)
    path = program.config(EVERYTHING)
    done = program.run("config", "check", "--config", path)
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 9
    assert all(line.startswith(f"{path}:") for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing to watch: write a [[panel]] with a kind"),
        ("[[panel]]\n", "which kind? one of"),
        ("panel = 3\n", "nothing to watch"),
        ("[panel]\nkind = 'health'\n", "write [[panel]], in two brackets each"),
        (
            "[watchfloor]\ntheme = 'darkk'\n" + HEALTH,
            "2: watchfloor.theme: there is no theme 'darkk'; there are: contrast",
        ),
        (HEALTH + "[actions]\nallow = 'jobs.*'\n", 'actions.allow: expected a list: write ["jobs.*"]'),
        ('[[panel]]\nkind = "health"\n', "nothing to watch: write endpoints ="),
        ("[watchfloor\n", "1: not TOML"),
        ("[watchfloor]\nname = shop\n", "2: not TOML: invalid value: text, durations and shares stand in quotes"),
        ("[watchfloor]\nversion = 2\n" + HEALTH, "watchfloor.version: expected 1, found 2"),
        ("[watchfloor]\ninterval = '5 parsecs'\n" + HEALTH, 'expected a duration such as "5s"'),
        ("[watchfloor]\ninterval = '0s'\n" + HEALTH, "watchfloor.interval: too short to ask by"),
        (HEALTH + "deadline = '1ms'\n", "4: panel health.deadline: too short to ask by"),
        ("[watchfloor]\nproduction = 'maybe'\n" + HEALTH, "watchfloor.production: expected a valid boolean"),
        ("watchfloor = 1\n" + HEALTH, "1: watchfloor: expected a table, found 1"),
        ("[wachfloor]\n" + HEALTH, "unknown table 'wachfloor', did you mean 'watchfloor'?"),
        (HEALTH + 'method = "GET"\n', "4: panel health.method: unknown key 'method'"),
        (HEALTH + "failures = 0\n", "4: panel health.failures: expected greater than or equal to 1, found 0"),
        (HEALTH + 'name = "a b"\n', "4: panel a b.name"),
        (HEALTH + "known_good = ['1.1.1.1']\n", 'expected "host:port", found "1.1.1.1"'),
        (HEALTH + "[actions]\nallow = ['health.restart']\n", "'health.restart' allows nothing"),
        (HEALTH + "[keys]\nquit = 1\n", "keys: expected names and keys"),
        (HEALTH + "[sentry]\ndsn = 'https://key@o1.ingest.example/1'\n", "sentry.dsn: a secret never stands in the config"),
        (HEALTH + "[sentry]\ndsn = 'env:NO_SUCH'\n", "the environment variable NO_SUCH is not set"),
        (HEALTH + "[[rule]]\n", "rule[0].name: missing"),
        (HEALTH + "[[rule]]\nname = 'r'\n", 'which signal? write signal = "PANEL.SIGNAL"'),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up'\n", "from where on?"),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up'\nbelow = 1\n", "how bad is it?"),
        (
            HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up'\nbelow = 1\nabove = 0\nseverity = 'P1'\n",
            "either above or below",
        ),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up'\nbelow = 1\nseverity = 'P7'\n", "rule r.severity: expected 'P0'"),
        (
            HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up'\nbelow = '1s'\nseverity = 'P1'\n",
            "rule r.below: expected a plain",
        ),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.latency'\nP1 = { above = 2 }\n", "rule r.P1.above: a duration needs"),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.uptime'\nbelow = 99\nseverity = 'P1'\n", 'write "99 %"'),
        (HEALTH + "[[rule]]\nname = 'r'\nsignal = 'up'\nbelow = 1\nseverity = 'P1'\n", "expected PANEL.SIGNAL"),
        (
            HEALTH + "[[rule]]\nname = 'r'\nsignal = 'healht.up'\nbelow = 1\nseverity = 'P1'\n",
            "there is no panel healht, did you",
        ),
        (
            HEALTH + "[[rule]]\nname = 'r'\nsignal = 'health.up{route=\"/\"}'\nbelow = 1\nseverity = 'P1'\n",
            "up has no label route; its labels: endpoint",
        ),
        (HEALTH + "[[rule]]\nname = 'Upptime'\nenabled = false\n", "no panel has a rule of this name, did you mean 'Uptime'?"),
        (HEALTH + 2 * "[[rule]]\nname = 'Uptime'\nenabled = false\n", "two rules are called Uptime"),
        ('extends = "base.toml"\n' + HEALTH, "base.toml: cannot be read: no such file or directory"),
        ("extends = 3\n" + HEALTH, '1: extends: expected a file: "base.toml"'),
    ],
)
def test_each_mistake_in_words(folder: Folder, text: str, says: str) -> None:
    path = folder.write(text)
    with pytest.raises(ConfigError) as found:
        load(path)
    assert says in str(found.value)
    assert str(folder.path) in str(found.value)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("url = 'https://anna:hunter2@shop.example/'", "{env:"),
        ("url = 'https://shop.example/'\nheaders = { Authorization = 'Bearer hunter2' }", '"{env:NAME}"'),
        ("url = 'https://shop.example/'\nheaders = { X-Api-Key = 'hunter2' }", '"{env:NAME}"'),
        ("url = 'https://shop.example/'\nheaders = { Cookie = 'session=hunter2' }", '"{env:NAME}"'),
        ("url = 'https://shop.example/'\nproxy = 'http://anna:hunter2@proxy:3128'", "{env:"),
    ],
)
def test_a_secret_in_clear_is_refused_with_what_to_write_and_not_repeated(folder: Folder, written: str, instead: str) -> None:
    (said,) = folder.mistakes(f'[[panel]]\nkind = "health"\n[[panel.endpoint]]\n{written}\n')
    assert instead in said
    assert "hunter2" not in said


def test_a_mistake_in_a_base_is_named_with_the_bases_file_and_line(folder: Folder) -> None:
    base = folder.write("[watchfloor]\n\ninterval = 7\n", "base.toml")
    path = folder.write('extends = "base.toml"\n[watchfloor]\nname = 3\n' + HEALTH)
    with pytest.raises(ConfigError) as found:
        load(path)
    assert {str(each).split(": ")[0] for each in found.value.mistakes} == {f"{base}:3", f"{path}:3"}


def test_a_file_that_is_no_text_or_not_there(folder: Folder) -> None:
    path = folder.path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path)
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        load(folder.path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load(folder.path)


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=200))
def test_finding_lines_never_breaks_whatever_the_file_holds(text: str) -> None:
    assert places(text)[()] == 1


def test_lines_are_found_in_what_people_write() -> None:
    found = places(
        '[a]\n"quoted key" = 1\nb.c = 2\ntext = """\n[not.a.table]\nx = 1\n"""\n[[list]]\n[[list.inner]]\n'
        'k = { deep = 1, "d e" = 2 }\n[[list]]\n[list.sub] # why\nz=1\n'
    )
    assert found["a", "quoted key"] == 2
    assert found["a", "b", "c"] == 3
    assert ("not", "a", "table") not in found and ("a", "x") not in found
    assert found["list", 0, "inner", 0, "k", "deep"] == found["list", 0, "inner", 0, "k", "d e"] == 10
    assert (found["list", 1], found["list", 1, "sub", "z"]) == (11, 13)


# --- extends and environments --------------------------------------------------------------------------------------------


def test_extends_overrides_key_by_key_panels_by_name_and_replaces_lists(folder: Folder) -> None:
    folder.write(
        '[watchfloor]\nname = "shop"\ninterval = "5s"\n[[panel]]\nkind = "health"\nname = "web"\nfailures = 2\n'
        'endpoints = ["https://a.example/", "https://b.example/"]\n[[panel]]\nkind = "health"\nname = "partners"\n'
        'endpoints = ["https://c.example/"]\n[[rule]]\nname = "r"\nsignal = "web.up"\nbelow = 1\nseverity = "P3"\n',
        "base.toml",
    )
    setup = folder.load(
        'extends = "base.toml"\n[watchfloor]\nenvironment = "staging"\n[[panel]]\nname = "web"\n'
        'endpoints = ["https://staging.example/"]\n[[panel]]\nkind = "health"\nname = "new"\nendpoints = ["https://d.example/"]\n'
        '[[rule]]\nname = "r"\nseverity = "P0"\n'
    ).setup
    assert (setup.name, setup.environment, setup.interval) == ("shop", "staging", 5.0)
    assert [panel.name for panel in setup.panels] == ["web", "partners", "new"]
    assert [each.url.source for each in setup.panels[0].settings.endpoints] == ["https://staging.example/"]
    assert setup.panels[0].settings.failures == 2
    assert next(rule for rule in setup.rules if rule.name == "r").levels == (Threshold("P0", 1.0, 0.0),)


def test_extends_goes_one_level(folder: Folder) -> None:
    folder.write("[watchfloor]\n", "first.toml")
    folder.write('extends = "first.toml"\n', "base.toml")
    with pytest.raises(ConfigError, match="one level is all there is"):
        folder.load('extends = "base.toml"\n' + HEALTH)


def test_an_environment_is_a_file_beside_it(folder: Folder) -> None:
    folder.write(HEALTH)
    folder.write(HEALTH, "config.staging.toml")
    assert find(None, None) == Path("config.toml")
    assert find(None, "staging") == Path("config.staging.toml")
    assert find("elsewhere/mine.toml", "staging") == Path("elsewhere/mine.staging.toml")
    with pytest.raises(ConfigError, match="no config found"):
        find(None, "preview")


# --- whose file it is ----------------------------------------------------------------------------------------------------


def foreign(path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (foreign, "belongs to somebody else"),
        (lambda path: path.chmod(0o664), "others may write it"),
        (lambda path: path.chmod(0o646), "others may write it"),
    ],
)
def test_a_file_that_was_found_and_that_others_can_write_is_not_read(
    folder: Folder, change: Callable[[Path], None], says: str
) -> None:
    path = folder.write(HEALTH)
    change(path)
    with pytest.raises(ConfigError, match=says) as refused:
        find(None, None)
    assert "--config config.toml" in str(refused.value)
    assert load(find(str(path), None)).setup.panels, "named, it is read"


# --- config show ---------------------------------------------------------------------------------------------------------


def test_show_prints_each_value_with_where_it_came_from_and_no_secret(tmp_path: Path) -> None:
    program = Program(tmp_path, {"ADMIN_TOKEN": "hunter2-canary"})
    program.config('[watchfloor]\nname = "shop"\ninterval = "7s"\n', "base.toml")
    path = program.config(
        'extends = "base.toml"\n[watchfloor]\ninterval = "9s"\n[[panel]]\nkind = "health"\n[[panel.endpoint]]\n'
        'name = "admin"\nurl = "https://shop.example/admin"\nheaders = { Authorization = "Bearer {env:ADMIN_TOKEN}" }\n'
    )
    done = program.call("config", "show", "--config", path)
    assert (done.returncode, done.stderr) == (0, "")
    base = path.with_name("base.toml")
    assert f'watchfloor.name = "shop"   # {base}:2\n' in done.stdout
    assert f'watchfloor.interval = "9s"   # {path}:3\n' in done.stdout
    assert 'watchfloor.environment = "production"   # default\n' in done.stdout
    assert f'panel[0].endpoint[0].headers.Authorization = "Bearer {{env:ADMIN_TOKEN}}"   # {path}:9\n' in done.stdout
    assert "rule ServiceDown: health.up P0 below 1 for 120s\n" in done.stdout
    assert "canary" not in done.stdout


# --- schema, starter and examples ----------------------------------------------------------------------------------------


def test_the_schema_describes_every_key_of_every_kind() -> None:
    made = json.loads(json.dumps(schema()))
    assert made["$schema"].startswith("https://json-schema.org/draft/2020-12")
    kinds = {each["properties"]["kind"]["const"]: each for each in made["properties"]["panel"]["items"]["anyOf"]}
    assert set(kinds) == set(installed_kinds())
    for kind, described in kinds.items():
        assert described["additionalProperties"] is False, "editors mark unknown keys"
        assert "kind" in described["required"]
        wanted = {field.alias or name for name, field in load_card(kind).config.model_fields.items()}
        assert wanted <= set(described["properties"])
    for name, described in _properties(made):
        assert described.get("description") or "$ref" in described or "const" in described or "allOf" in described, name


def _properties(node: Any, name: str = "") -> list[tuple[str, Any]]:
    """Every property that the schema describes, within definitions too."""
    if isinstance(node, list):
        return [found for each in node for found in _properties(each, name)]
    if not isinstance(node, dict):
        return []
    found = [(f"{name}.{key}", each) for key, each in node.get("properties", {}).items() if name]
    for key, each in node.items():
        found += _properties(each, key if key == "properties" else name or key)
        if key == "properties":
            for inner, described in each.items():
                found += _properties(described, inner)
    return found


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    made = schema()
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(made)):
        assert reference.startswith("#/$defs/")
        assert reference.removeprefix("#/$defs/") in made["$defs"]


def test_the_starter_is_a_config_that_loads_and_so_is_every_commented_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(tmp_path)
    done = program.call("config", "init")
    assert (done.returncode, done.stderr) == (0, "")
    assert STARTER.strip() in done.stdout
    checked = program.call("config", "check", "--config", program.config(done.stdout))
    assert (checked.returncode, checked.stderr) == (0, ""), "as it is"
    for name in set(re.findall(r"env:(\w+)", done.stdout)):
        program.more[name] = "postgresql://watch@db/shop"
    head, *pieces = re.split(r"(?m)^(?=# \[\[panel\]\]\n# kind)", done.stdout)
    assert len(pieces) == len([kind for kind in installed_kinds() if kind != "health"]) + 1, "theirs is installed here as well"
    bare = head + "".join(re.sub(r"(?m)^# ?", "", piece) for piece in pieces)
    checked = program.call("config", "check", "--config", program.config(bare))
    assert (checked.returncode, checked.stderr) == (0, ""), "and with every comment sign taken away"


@pytest.mark.parametrize("kind", sorted(installed_kinds()))
def test_every_panels_example_is_a_config(folder: Folder, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    example = load_card(kind).example
    for name in re.findall(r"env:(\w+)", example):
        monkeypatch.setenv(name, "postgresql://watch@db/shop")
    assert [panel.kind for panel in folder.load(example).setup.panels] == [kind]


def test_somebody_elses_package_adds_a_kind(tmp_path: Path) -> None:
    program = Program(tmp_path)
    path = program.config(theirs.CARD.example)
    assert "1 panel, 1 rule, no mistakes" in program.call("config", "check", "--config", path).stdout
    assert '"const": "theirs"' in program.call("config", "schema").stdout
