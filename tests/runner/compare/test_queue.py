"""The queue, with trainings that are played: what is finished is not made again, what was killed goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from a2patch.errors import ExistsError, LockedError
from a2patch.protocol import EVENTS, EpochDone, Event, TrainingBegan, TrainingDone, encode
from a2patch.runner.compare import launch, queue
from a2patch.runner.compare.folder import Folder
from a2patch.runner.compare.launch import Ending, Job
from a2patch.runner.compare.plan import Run
from a2patch.runner.compare.queue import Progress, Queue

RUNS = [Run(label, seed) for seed in (0, 1) for label in ("base", "mine")]


def epoch(number: int, figure: float = 0.5, *, finite: bool = True) -> EpochDone:
    return EpochDone(number, (("metrics/mAP50-95(B)", figure),), (figure,), finite, 1.0)


class Played:
    """A training that ends at once, as it is played."""

    def __init__(self, home: Path, events: Sequence[Event], ending: Ending) -> None:
        with (home / EVENTS).open("a") as lines:
            lines.writelines(f"{encode(event)}\n" for event in events)
        self._ending = ending
        self.polls = 1

    def is_running(self) -> bool:
        self.polls -= 1
        return self.polls >= 0

    def stop(self) -> None:
        self.polls = -1

    def ending(self) -> Ending:
        return self._ending


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(queue, "_AGAIN_SECONDS", 0.0)


def work(
    folder: Folder, play: Callable[[Run], tuple[Sequence[Event], Ending]], slots: Sequence[str] = ("cpu",)
) -> tuple[list[tuple[Run, str]], list[str]]:
    """Have all made, and return what was started where, and what was told."""
    started: list[tuple[Run, str]] = []
    told: list[str] = []

    def start(run: Run, device: str) -> Job:
        started.append((run, device))
        return Played(folder.begin(run), *play(run))

    def watch(states: Sequence[Progress], news: str) -> None:
        assert sum(state.state == "running" for state in states) <= len(slots)
        told.extend(filter(None, [news]))

    Queue(folder, RUNS, 2, slots, start, watch).work()
    return started, told


FINE = ((TrainingBegan(1), epoch(1), epoch(2), TrainingDone(5)), Ending("It ended with status 0.", False))


@pytest.mark.usefixtures("quick")
def test_what_is_finished_is_never_made_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    started, _ = work(folder, lambda run: FINE, ("0", "1"))
    assert {run for run, _ in started} == {*RUNS}
    assert len(started) == len(RUNS)
    assert {device for _, device in started} == {"0", "1"}
    assert work(folder, lambda run: FINE) == ([], [])


@pytest.mark.usefixtures("quick")
def test_what_was_killed_goes_on_in_the_same_command(tmp_path: Path) -> None:
    attempts: list[Run] = []

    def play(run: Run) -> tuple[Sequence[Event], Ending]:
        attempts.append(run)
        if run == RUNS[1] and attempts.count(run) == 1:
            return (TrainingBegan(1), epoch(1)), Ending("It was killed by signal 9.", True)
        return FINE

    started, told = work(Folder(tmp_path), play)
    assert len(started) == len(RUNS) + 1
    assert any("mine, seed 0 was killed after epoch 1, and goes on" in line for line in told)
    assert Folder(tmp_path).kept(RUNS[1]).state == "finished"


@pytest.mark.usefixtures("quick")
def test_a_failure_is_kept_and_tried_again_by_the_next_command(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    fails = ((TrainingBegan(1),), Ending("It ended with status 1.\nRuntimeError: no memory", False))
    started, told = work(folder, lambda run: fails if run == RUNS[2] else FINE)
    assert len(started) == len(RUNS)
    assert any("base, seed 1 failed: It ended with status 1.\nRuntimeError: no memory" in line for line in told)
    assert folder.kept(RUNS[2]).failure.endswith("no memory")
    assert [run for run, _ in work(folder, lambda run: FINE)[0]] == [RUNS[2]]
    assert folder.kept(RUNS[2]).failure == ""


@pytest.mark.usefixtures("quick")
def test_one_that_is_killed_again_and_again_has_failed(tmp_path: Path) -> None:
    killed = ((), Ending("It was killed by signal 9.", True))
    started, _ = work(Folder(tmp_path), lambda run: killed)
    assert len(started) == 3 * len(RUNS)
    assert Folder(tmp_path).kept(RUNS[0]).state == "failed"


@pytest.mark.usefixtures("quick")
def test_a_loss_that_is_no_number_has_failed_for_good(tmp_path: Path) -> None:
    diverged = ((TrainingBegan(1), epoch(1), epoch(2, finite=False), TrainingDone(5)), FINE[1])
    work(Folder(tmp_path), lambda run: diverged)
    kept = Folder(tmp_path).kept(RUNS[0])
    assert (kept.state, kept.failure) == ("failed", "Its loss is no number after epoch 2.")
    assert work(Folder(tmp_path), lambda run: FINE)[0] == []


@pytest.mark.usefixtures("quick")
def test_an_interrupt_ends_all_that_run_and_leaves_what_they_did(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    jobs: list[Played] = []

    def start(run: Run, device: str) -> Job:
        job = Played(folder.begin(run), (TrainingBegan(1), epoch(1)), FINE[1])
        job.polls = 10**6
        jobs.append(job)
        return job

    def watch(states: Sequence[Progress], news: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Queue(folder, RUNS, 2, ("cpu",), start, watch).work()
    assert [job.polls for job in jobs] == [-1]
    assert folder.kept(RUNS[0]).state == "begun"


def test_a_line_that_was_cut_short_is_dropped_and_the_last_word_counts(tmp_path: Path) -> None:
    folder, run = Folder(tmp_path), RUNS[0]
    home = folder.begin(run)
    told = "".join(f"{encode(event)}\n" for event in (TrainingBegan(1), epoch(1, 0.1), epoch(2, 0.2)))
    home.joinpath(EVENTS).write_text(told + encode(epoch(3))[:20])
    assert [each.epoch for each in folder.kept(run).epochs] == [1, 2]
    folder.begin(run)
    assert home.joinpath(EVENTS).read_text() == told
    with home.joinpath(EVENTS).open("a") as lines:
        lines.write(encode(epoch(2, 0.7)) + "\n")
    assert folder.kept(run).epochs[-1].figures == epoch(2, 0.7).figures


def test_one_command_at_a_time_and_no_folder_of_others(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new" / "one")
    with folder.held():
        assert folder.plan() is None
        with pytest.raises(LockedError), Folder(folder.path).held():
            pass
    assert not folder.path.exists(), "nothing came of it"
    tmp_path.joinpath("precious.txt").touch()
    with pytest.raises(ExistsError, match="other files"):
        Folder(tmp_path).plan()


def test_an_ending_is_told_as_a_terminal_may_show_it() -> None:
    found = launch.ending_of(
        "The probe was killed by signal 9 while training.\n\x1b[K 10%\r\x1b[K 50%\x07\n\n\x1b[31mred\x1b[0m"
    )
    assert found == Ending("It was killed by signal 9 while training.\n 50%\nred", True)
    assert not launch.ending_of("The probe ended with status 1 while training.\nkilled by signal 9").killed
