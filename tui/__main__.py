"""`python -m tui`, for where the script is not on the PATH."""

from tui.start import run

run()
