"""The embedded stack that `watchfloor demo` starts: a small product that really runs, and ways to trouble it.

    with start(seed=7, faults=["slow-query"]) as stack:
        print(stack.config_path)

A PostgreSQL, a web service, a worker, a timer, users and a look-alike of a deployments API, on loopback ports, without
Docker, account or root. Nothing but the demo command imports this package, and nothing that the stack emits says what
troubles it: that is found out by looking.

| module | subject |
|---|---|
| client | what is called from outside: `start`, `running`, `Stack`, `Handle` |
| __main__, stack | the process that owns a stack; its parts, composed |
| folder, ports, lifetime, child, control | files, addresses, processes and how they speak |
| database, web, worker, deployments, services | the parts |
| faults | the troubles |
"""

from tui.demo.client import FaultState, Handle, Stack, running, start
from tui.demo.errors import DemoError
from tui.demo.faults.catalogue import CATALOGUE, NAMES

__all__ = ["CATALOGUE", "NAMES", "DemoError", "FaultState", "Handle", "Stack", "running", "start"]
