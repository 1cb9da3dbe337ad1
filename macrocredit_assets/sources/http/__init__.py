"""HTTP: one client for all sources, and the records and wording that go with it.

What belongs here: asking a server and getting its whole answer, or an error that says why not. What must not: the
format of any source, and where answers are kept.
"""

from __future__ import annotations

from macrocredit_assets.sources.http.client import HttpClient
from macrocredit_assets.sources.http.messages import Answer, Asked, NoAnswer, failure, printable, snippet
from macrocredit_assets.sources.http.policy import MIB, HttpPolicy
from macrocredit_assets.sources.http.redact import PLACEHOLDER

__all__ = [
    "MIB",
    "PLACEHOLDER",
    "Answer",
    "Asked",
    "HttpClient",
    "HttpPolicy",
    "NoAnswer",
    "failure",
    "printable",
    "snippet",
]
