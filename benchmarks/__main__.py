"""Where people wait, measured beside the peers.

Each piece of work is done several times in turn with its peers, on the same machine in the same run; answers are
compared before times. ``uv run --group bench python -m benchmarks`` does all of it; names of work do a part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cold import COLD, Cold, run
from benchmarks.crew import CONTESTANTS, Crew
from benchmarks.report import Result, Time, as_json, machine, summary, table
from benchmarks.work import WORK, Work


class DifferentAnswersError(Exception):
    """Contestants gave different answers, so there is no time to compare."""


def main() -> None:
    """Measure what is asked for, and print it."""
    known = [each.name for each in (*COLD, *WORK)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pieces of work: {', '.join(known)}")
    parser.add_argument("--out", type=Path, help="write the results as JSON, too")
    parser.add_argument("--compare", action="store_true", help="one round: answers are compared, times promise nothing")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"there is no work {', '.join(unknown)}; there is {', '.join(known)}")
    print(" ".join(f"{key}: {value};" for key, value in machine().items()), file=sys.stderr)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for each in (*COLD, *WORK):
            if options.names and each.name not in options.names:
                continue
            room = Path(folder) / each.name
            room.mkdir()
            if options.compare:
                each = replace(each, rounds=1)
            result = _cold(each, room) if isinstance(each, Cold) else _warm(each, room)
            results.append(replace(result, judged=not options.compare))
            print(table(results[-1]), end="\n\n", flush=True)
    if len(results) > 1:
        print(summary(results))
    if options.out:
        options.out.write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    if not options.compare and any(result.holds is False for result in results):
        sys.exit(1)


def _cold(work: Cold, room: Path) -> Result:
    seconds: dict[str, list[float]] = {step.who: [] for step in work.steps}
    peaks: dict[str, float] = {}
    for number in range(work.rounds):
        for step in work.steps:
            if number < (step.rounds or work.rounds):
                taken, peak = run(step, room)
                seconds[step.who].append(taken)
                peaks[step.who] = max(peak, peaks.get(step.who, 0))
    medians = {who: statistics.median(taken) for who, taken in seconds.items()}
    times = tuple(Time(who, medians[who], len(taken), peaks[who]) for who, taken in seconds.items())
    holds = work.holds(medians) and times[0].peak_mb < work.most_mb
    return Result(work.name, work.title, work.promise, holds, times)


def _warm(work: Work, room: Path) -> Result:
    with Crew(room, work.flush_ms) as crew:
        return _measured(crew, work)


def _measured(crew: Crew, work: Work) -> Result:
    """Time a piece of work by every contestant, in turn; their answers are compared first."""
    answers = {who: _first_answer(crew, work, who) for who in work.who}
    present = [who for who in work.who if "absent" not in answers[who]]
    if work.compared:
        _compare(work, {who: answers[who] for who in present})
    seconds: dict[str, list[float]] = {who: [] for who in present}
    for _ in range(work.rounds):
        for who in present:
            taken = [crew.ask(who, work.run, **_arguments(crew, work, who)) for _ in range(work.calls)]
            seconds[who] += [reply["seconds"] for reply in taken]
            answers[who] = taken[-1]
    medians = {who: statistics.median(taken) for who, taken in seconds.items()}
    times = tuple(
        Time(
            CONTESTANTS[who].name,
            medians[who],
            len(seconds[who]),
            answers[who]["peak_mb"],
            answers[who]["rows"],
            _size(crew.room(who)) / 1e6,
        )
        if who in present
        else Time(CONTESTANTS[who].name, None, absent=answers[who]["absent"])
        for who in work.who
    )
    return Result(work.name, work.title, str(work.target), work.target.holds(medians), times)


def _first_answer(crew: Crew, work: Work, who: str) -> dict[str, Any]:
    reply = crew.ask(who, work.prepare, folder=str(crew.room(who)))
    return reply if "absent" in reply else crew.ask(who, work.run, **_arguments(crew, work, who))


def _arguments(crew: Crew, work: Work, who: str) -> dict[str, object]:
    return {**work.arguments, **({"folder": str(crew.room(who))} if work.takes_folder else {})}


def _compare(work: Work, answers: dict[str, dict[str, Any]]) -> None:
    digests = {who: (reply["digest"], reply["rows"]) for who, reply in answers.items()}
    if len(set(digests.values())) > 1:
        raise DifferentAnswersError(f"{work.title}: {digests}")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
