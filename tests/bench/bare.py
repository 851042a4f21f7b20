"""The smallest Textual app worth comparing with: a table of fifty rows that moves with j and k."""

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class Bare(App[None]):
    BINDINGS = [("j", "down", "down"), ("k", "up", "up"), ("q", "quit", "quit")]
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("name", "says", "now", "p95")
        for number in range(50):
            table.add_row(f"endpoint {number}", "ok", "41 ms", "88 ms")

    def action_down(self) -> None:
        self.query_one(DataTable).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(DataTable).action_cursor_up()


if __name__ == "__main__":
    Bare().run(mouse=False)
