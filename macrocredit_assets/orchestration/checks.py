"""Checks as Dagster runs them: one step per dataset, after its rows are written, and again whenever somebody asks.

What belongs here: which checks an asset has, which window a run means, and how an answer looks in the UI. What must
not: what is looked at, and who says that it is wrong (``checking.py``). The steps have no partitions and take no data
in: an un-partitioned check that took its asset as input would load every partition.
"""

from collections.abc import Iterator

import dagster as dg

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec
from macrocredit_assets.checking import CheckResult, Report, check, checks_of
from macrocredit_assets.findings import by_rule
from macrocredit_assets.holdings import Holdings
from macrocredit_assets.orchestration.dagster_private import know_materialization
from macrocredit_assets.orchestration.finding_metadata import finding_metadata
from macrocredit_assets.orchestration.partitions import today
from macrocredit_assets.orchestration.tags import accepted_rules, window_of_tags
from macrocredit_assets.quality import Check, rules_of
from macrocredit_assets.settings import Settings

__all__ = ["build_checks"]

#: What each check asks, and whether a dataset that fails it holds up the signals made from it.
_QUESTIONS: dict[Check, str] = {
    "values": "Can the numbers be true? An error holds up the signals made from them.",
    "continuity": "Is there a row where the calendar expects one, and does it say anything new?",
    "jumps": "Does the series move as it does, and together with what it moves with?",
    "source": "Is the source still what it was, and was it asked?",
}
#: A signal has no source of its own.
_OF_INPUTS = "Is it there where all its inputs are due, whether they are there or not?"
_BLOCKING: frozenset[Check] = frozenset({"values"})


def build_checks(catalog: Catalog, settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Return the checks of every dataset, in one step each."""
    return [_checks(catalog.entry(name), catalog, settings) for name in catalog.names()]


def _checks(entry: DatasetSpec | SignalSpec, catalog: Catalog, settings: Settings) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"{entry.name}_checks",
        specs=[
            dg.AssetCheckSpec(each, asset=entry.name, description=_question(entry, each), blocking=each in _BLOCKING)
            for each in checks_of(entry)
        ],
        can_subset=True,
        description=f"Look at what is stored of {entry.name}.",
    )
    def look(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        know_materialization(context, dg.AssetKey(entry.name))
        selected = {key.name for key in context.selected_asset_check_keys}
        report = check(
            Holdings(settings, catalog),
            entry.name,
            window_of_tags(context.run.tags),
            today=today(),
            checks=[each for each in checks_of(entry) if each in selected],
            accept=accepted_rules(context.run.tags),
        )
        for result in report.results:
            yield _shown(report, result)

    return look


def _question(entry: DatasetSpec | SignalSpec, asked: Check) -> str:
    """Return what a check asks, and each of its rules: once, and not with every result, which is kept three times."""
    question = _OF_INPUTS if asked == "source" and isinstance(entry, SignalSpec) else _QUESTIONS[asked]
    rules = (f"- `{rule.name}` ({rule.severity}): {rule.sentence}" for rule in rules_of(entry, asked))
    return "\n".join((question, "", *rules))


def _shown(report: Report, result: CheckResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=result.check,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if result.outcome == "failed" else dg.AssetCheckSeverity.WARN,
        description=_summary(report, result),
        metadata={
            "window": str(report.window or "nothing is stored"),
            **finding_metadata(result.findings),
        },
    )


def _summary(report: Report, result: CheckResult) -> str:
    if report.nothing and not result.findings:
        return report.nothing
    if not result.findings:
        looked = "1 rule" if len(result.rules) == 1 else f"{len(result.rules)} rules"
        return f"{looked} looked at {report.window} and found nothing."
    if len(result.findings) == 1:
        return f"{result.findings[0].rule}: {result.findings[0].message}"
    # each of them has a line of its own among the metadata
    return f"In {report.window}: {by_rule(result.findings)}."
