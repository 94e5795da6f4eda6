"""Asking for a task, whatever carries the message."""

from typing import Protocol

from readfirst.tasks.names import TaskName


class TaskNotifier(Protocol):
    """Tells the workers that there is work of a kind."""

    def notify(self, task: TaskName) -> None:
        """Tell them once. Never raises: the sweep tells them again."""


class OnceNotifier:
    """Passes each task on once, however often it is asked: for many changes in a row."""

    def __init__(self, notifier: TaskNotifier) -> None:
        self._notifier = notifier
        self._notified: set[TaskName] = set()

    def notify(self, task: TaskName) -> None:
        """Tell the workers, unless they were told of this task already."""
        if task not in self._notified:
            self._notified.add(task)
            self._notifier.notify(task)
