"""What happens, without a terminal: polling, judging, acting and remembering. Never imports Textual."""

import os
import sys
from types import ModuleType

# httpx imports its own command line, and with it pygments and click, for nothing: 40 ms and more that every start would pay.
# It has an answer for where that cannot be imported; None is how an import is refused.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # what stands there else is a module

# Pydantic looks through every installed distribution for plugins at its first model; none is wanted here, nor what it would
# look with (mail, archives: 12 ms). What it asks for them stands here already; where it asks otherwise one day, its own switch
# holds.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
if "pydantic" not in sys.modules:
    nobody = ModuleType("pydantic.plugin._loader")
    nobody.get_plugins = tuple  # type: ignore[attr-defined]  # called without arguments: none
    sys.modules[nobody.__name__] = nobody
