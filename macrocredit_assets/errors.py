"""The exception tree: one base, and under it only errors that a caller may want to tell apart.

Every error is also the built-in that fits it, so that code which does not know this package catches it as well::

    MacrocreditError
    ├── UsageError (ValueError)             the request is wrong; nothing was started: exit code 2
    │   ├── WindowError                     reversed, wholly in the future, before 1990-01-01
    │   ├── SettingsError                   an environment variable that cannot be used
    │   └── RootKindError                   sample and real data under one root
    ├── CatalogError (ValueError)           a catalog file that cannot be used
    ├── UnknownDatasetError (KeyError)      a name that the catalog or the registry does not have
    ├── CorruptFileError (ValueError)       a stored file that does not parse
    ├── StoreError (ValueError)             a write that would break what is stored
    │   ├── SeriesMismatchError             rows of another series than the stored one
    │   ├── SchemaMismatchError             another schema than the stored one
    │   └── OutsideWindowError              rows outside the window being written
    ├── NotCoveredError (LookupError)       no date of the window was ever ingested
    ├── RuleViolationError (ValueError)     findings that stop a write
    └── SourceError                         a source did not give what it was asked for
        ├── TransientSourceError (ConnectionError)   the same request may work later
        │   ├── RateLimitedError            the source has had enough requests for now
        │   ├── SourceUnavailableError      no answer, half an answer, or the source's own "not now"
        │   └── EmptyResponseError          a well-formed answer without a single row
        └── PermanentSourceError (ValueError)        it will not, until somebody changes something
            ├── NotServedError              this profile cannot serve this dataset
            ├── UnreadableSourceError       a file that cannot be read as the catalog describes it
            ├── UnknownSeriesError          the source does not know what it was asked for
            ├── SchemaChangedError          other columns than the source has always sent
            ├── MalformedResponseError      an answer that is not in the source's format
            ├── RejectedRequestError        the source refuses the request: a wrong key, a wrong parameter
            └── UntrustedSourceError        another host than the one that was asked, or one that cannot prove itself

What belongs here: exception types. Their messages are written where they are raised, and say what happened, to which
dataset and window, what was expected, and what to do next, with the exact command.
"""

from macrocredit_assets.findings import Finding

__all__ = [
    "CatalogError",
    "CorruptFileError",
    "EmptyResponseError",
    "MacrocreditError",
    "MalformedResponseError",
    "NotCoveredError",
    "NotServedError",
    "OutsideWindowError",
    "PermanentSourceError",
    "RateLimitedError",
    "RejectedRequestError",
    "RootKindError",
    "RuleViolationError",
    "SchemaChangedError",
    "SchemaMismatchError",
    "SeriesMismatchError",
    "SettingsError",
    "SourceError",
    "SourceUnavailableError",
    "StoreError",
    "TransientSourceError",
    "UnknownDatasetError",
    "UnknownSeriesError",
    "UnreadableSourceError",
    "UntrustedSourceError",
    "UsageError",
    "WindowError",
]


class MacrocreditError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(MacrocreditError, ValueError):
    """The request itself is wrong; nothing was started."""


class WindowError(UsageError):
    """A window that is reversed, wholly in the future, or before the first partition."""


class SettingsError(UsageError):
    """A setting whose value cannot be used."""


class RootKindError(UsageError):
    """A root holds sample data and real data was to be written, or the other way round."""


class CatalogError(MacrocreditError, ValueError):
    """A catalog file that cannot be used as it stands."""


class UnknownDatasetError(MacrocreditError, KeyError):
    """A name that neither catalog nor registry has."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument: right for a key, wrong for a sentence
        return str(self.args[0]) if self.args else ""


class CorruptFileError(MacrocreditError, ValueError):
    """A stored file that does not parse; it was left as it is."""


class StoreError(MacrocreditError, ValueError):
    """A write that would break what is stored; nothing was written."""


class SeriesMismatchError(StoreError):
    """Rows of another series than the one the dataset holds."""


class SchemaMismatchError(StoreError):
    """A frame or a stored file whose schema is not the expected one."""


class OutsideWindowError(StoreError):
    """Rows outside the window that is being written."""


class NotCoveredError(MacrocreditError, LookupError):
    """No date of the window was ever ingested."""


class RuleViolationError(MacrocreditError, ValueError):
    """Findings of severity ``error``; nothing was written.

    Parameters
    ----------
    message
        For people.
    findings
        Those that stopped the write.
    """

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class SourceError(MacrocreditError):
    """A source did not give what it was asked for."""


class TransientSourceError(SourceError, ConnectionError):
    """The same request may work later.

    Attributes
    ----------
    retry_after
        For how many seconds the source wants to be left alone; None where it does not say.
    """

    retry_after: float | None = None


class PermanentSourceError(SourceError, ValueError):
    """The same request fails until somebody changes something."""


class RateLimitedError(TransientSourceError):
    """The source has had enough requests for now."""


class SourceUnavailableError(TransientSourceError):
    """The source gave no answer, broke off in the middle of one, or said that it cannot answer now."""


class EmptyResponseError(TransientSourceError):
    """The source answered in its own format, with no row at all."""


class NotServedError(PermanentSourceError):
    """The chosen profile has no way to this dataset."""


class UnreadableSourceError(PermanentSourceError):
    """A file that cannot be read as the catalog describes it."""


class UnknownSeriesError(PermanentSourceError):
    """The source does not know the series that it was asked for."""


class SchemaChangedError(PermanentSourceError):
    """The source sent other columns than those it has always sent."""


class MalformedResponseError(PermanentSourceError):
    """What came back is not in the source's format: a page for people, a cell that is no number, a body too large."""


class RejectedRequestError(PermanentSourceError):
    """The source refuses the request as it is: a key that it does not know, a parameter out of range."""


class UntrustedSourceError(PermanentSourceError):
    """A certificate did not verify, or the source sent us to another host."""
