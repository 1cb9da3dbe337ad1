"""Ctrl-C and SIGTERM between two runs, and while Dagster handles both."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from dagster._utils.interrupts import capture_interrupts

from macrocredit_assets.cli.stop_signals import stoppable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_between_two_runs_comes_as_ctrl_c(number: signal.Signals) -> None:
    """Both signals raise KeyboardInterrupt, and are remembered; afterwards all is as before."""
    before = signal.getsignal(number)
    with stoppable() as was_told:
        assert not was_told()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        assert was_told()
        assert was_told()
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_that_dagster_swallows_is_remembered(number: signal.Signals) -> None:
    """One that comes after a run's last step, when nothing is left to interrupt, still ends the backfill."""
    with stoppable() as was_told:
        with capture_interrupts():
            os.kill(os.getpid(), number)
        assert was_told()


def test_other_signals_are_no_reason_to_stop() -> None:
    """A child that ended, or a window that was resized, is not taken for Ctrl-C."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with stoppable() as was_told:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not was_told()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_thread_is_never_told() -> None:
    """Only the main thread can handle signals; elsewhere nothing is changed, and nothing is noticed."""
    answers: list[bool] = []

    def ask() -> None:
        with stoppable() as was_told:
            answers.append(was_told())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]
