"""What goes wrong between a publisher and its readers, to be installed on a server.

What belongs here: every fault by name. Each is a function, for some of them take parameters::

    fred.install(faults.rate_limited(retry_after=2), series="DGS10", times=1)  # and then the answer
    fred.install(faults.unavailable())                                         # for ever, for every series
    fred.install(faults.cell("N/A"), days=Window(date(2026, 3, 2), date(2026, 3, 6)))

:data:`FAULTS` has all of them, as they are without parameters of your own, for a test that goes through the list. One
of your own is a :class:`Fault` with a function that changes the table or the reply::

    teapot = Fault("teapot", reply=lambda reply, request: replace(reply, status=418))

A server that is not there, or one whose certificate does not verify, is no fault of this kind: ``stop()`` it and
``start()`` it again, or give it ``tls``.
"""

from __future__ import annotations

from collections.abc import Mapping

from macrocredit_assets.testing.servers.faults.contents import (
    byte_order_mark,
    carriage_returns,
    cell,
    conflicting,
    duplicated,
    frozen,
    future,
    header_only,
    lone_comma,
    out_of_order,
    renamed_header,
)
from macrocredit_assets.testing.servers.faults.pages import (
    echo,
    elsewhere,
    login_page,
    moved,
    not_found,
    rate_limited,
    unavailable,
)
from macrocredit_assets.testing.servers.faults.plan import Fault
from macrocredit_assets.testing.servers.faults.wire import (
    TWO_GIGABYTES,
    broken_gzip,
    cut_gzip,
    cut_unframed,
    gzip_bomb,
    huge_body,
    long_body,
    plain_as_gzip,
    reset,
    reset_in_body,
    short_body,
    silence,
    slow_body,
    slow_headers,
)

__all__ = [
    "FAULTS",
    "TWO_GIGABYTES",
    "Fault",
    "broken_gzip",
    "byte_order_mark",
    "carriage_returns",
    "cell",
    "conflicting",
    "cut_gzip",
    "cut_unframed",
    "duplicated",
    "echo",
    "elsewhere",
    "frozen",
    "future",
    "gzip_bomb",
    "header_only",
    "huge_body",
    "login_page",
    "lone_comma",
    "long_body",
    "moved",
    "not_found",
    "out_of_order",
    "plain_as_gzip",
    "rate_limited",
    "renamed_header",
    "reset",
    "reset_in_body",
    "short_body",
    "silence",
    "slow_body",
    "slow_headers",
    "unavailable",
]

#: Every fault that needs no parameter, by name.
FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        rate_limited(),
        rate_limited(as_date=True),
        unavailable(),
        not_found(),
        login_page(),
        echo(),
        elsewhere(),
        moved(),
        header_only(),
        renamed_header(),
        byte_order_mark(),
        carriage_returns(),
        cell("1e5"),
        cell("N/A"),
        lone_comma(),
        out_of_order(),
        duplicated(),
        conflicting(),
        future(),
        silence(),
        slow_headers(),
        slow_body(),
        reset(),
        reset_in_body(),
        short_body(),
        long_body(),
        plain_as_gzip(),
        broken_gzip(),
        cut_gzip(),
        cut_unframed(),
        gzip_bomb(),
        huge_body(),
        huge_body(declared=False),
    )
}
