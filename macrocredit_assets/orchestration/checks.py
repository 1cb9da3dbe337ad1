"""Checks as Dagster runs them: one step per dataset, after its rows are written, and again whenever somebody asks.

What belongs here: which checks an asset has, which window a run means, and how an answer looks in the UI. What must
not: what is looked at, and who says that it is wrong (``checking.py``). The steps have no partitions and take no data
in: an un-partitioned check that took its asset as input would load every partition.
"""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

# no public way spares Dagster that look-up; a test holds the fact that this door is still there
from dagster._core.execution.context.data_version_cache import InputAssetVersionInfo

from macrocredit_assets.catalog import Catalog, DatasetSpec, SignalSpec
from macrocredit_assets.checking import CheckResult, Report, check, checks_of
from macrocredit_assets.holdings import Holdings
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
        _know_materialization(context, dg.AssetKey(entry.name))
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
    rules = (f"- `{rule.name}` ({rule.severity}): {rule.sentence}" for rule in rules_of(entry, asked))
    return "\n".join((_QUESTIONS[asked], "", *rules))


def _know_materialization(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> None:
    """Look up what Dagster notes beside each result: the last materialization of the asset.

    Left to itself, it first lists every partition that there is, 0.1 s for each step, to find that they are too many.
    """
    (record,) = context.instance.get_asset_records([key]) or (None,)
    last = record.asset_entry.last_materialization_record if record else None
    step = context.op_execution_context.get_step_execution_context()
    step._data_version_cache.input_asset_version_info[key] = last and InputAssetVersionInfo(  # noqa: SLF001
        storage_id=last.storage_id,
        event_type=dg.DagsterEventType.ASSET_MATERIALIZATION,
        data_version=None,
        run_id=last.run_id,
        timestamp=last.timestamp,
    )


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
    if report.window is None:
        return "Nothing is stored."
    if not result.findings:
        looked = "1 rule" if len(result.rules) == 1 else f"{len(result.rules)} rules"
        return f"{looked} looked at {report.window} and found nothing."
    if len(result.findings) == 1:
        return f"{result.findings[0].rule}: {result.findings[0].message}"
    # each of them has a line of its own among the metadata
    found: Counter[str] = Counter()
    for one in result.findings:
        found[one.rule] += one.count
    return f"In {report.window}: {', '.join(f'{rule} {count:,}' for rule, count in found.items())}."
