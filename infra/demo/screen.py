"""What a person sees while the demo plays: steps with the time they took, and bars that move."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn


class Screen:
    """Prints steps as they begin; bars of one step live together until ``end_bars``."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}
        self._began = time.monotonic()
        self._step: tuple[str, float] | None = None
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def step(self, name: str) -> None:
        self.end_step()
        self._step = (name, time.monotonic())
        self.console.print(f"[bold cyan]{time.monotonic() - self._began:6.1f} s  {name}")

    def end_step(self) -> None:
        self.end_bars()
        if self._step:
            name, began = self._step
            self.seconds[name] = round(time.monotonic() - began, 2)
            self._step = None

    def say(self, text: str) -> None:
        self.console.print(f"          {text}", highlight=False)

    def bar(self, name: str, done: int, of: int, note: str = "") -> None:
        if self._bars is None:
            columns = (TextColumn("          {task.description}"), BarColumn(), MofNCompleteColumn())
            self._bars = Progress(*columns, TextColumn("{task.fields[note]}"), console=self.console)
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=of, note=note)
        self._bars.update(self._tasks[name], completed=done, total=of, note=note)

    def end_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars, self._tasks = None, {}
