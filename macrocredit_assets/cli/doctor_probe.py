"""``macrocredit doctor --probe``: what each way answers when it is asked now."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

import click

from macrocredit_assets.cli import render
from macrocredit_assets.cli.context import Context

if TYPE_CHECKING:
    from macrocredit_assets.catalog import Catalog
    from macrocredit_assets.probing import Reply

__all__ = ["document", "print_replies", "probe"]

_REPLIES = (
    render.Column("dataset", style="cyan"),
    render.Column("way"),
    render.Column("answer"),
    render.Column("rows", right=True),
    render.Column("sent from", optional=True),
    render.Column("sent to"),
    render.Column("seconds", right=True, optional=True),
)


def probe(context: Context, catalog: Catalog, *, quiet: bool) -> list[Reply]:
    """Ask every way that the profile uses; unless ``quiet``, say what each answered as soon as it has.

    Raises
    ------
    PermanentSourceError
        If another package registers a source that cannot be loaded.
    """
    from macrocredit_assets.probing import ask, questions

    sources, asked = questions(context.settings, catalog)
    if not quiet:
        click.echo(f"Asking {len(asked)} way{'' if len(asked) == 1 else 's'} ...", err=True)
    replies = []
    for number, reply in enumerate(ask(sources, asked, context.yesterday), 1):
        replies.append(reply)
        if not quiet:
            said = f"{reply.dataset} by {reply.way}: {_answer(reply)}, {reply.seconds:.1f} s"
            click.echo(f"  {number}/{len(asked)} {said}", err=True)
    return replies


def print_replies(context: Context, replies: Sequence[Reply]) -> None:
    """Print a table of who answered what, and whole the errors of those that did not."""
    from macrocredit_assets.probing import DAYS

    failed = [(reply, reply.error) for reply in replies if reply.error]
    click.echo()
    if not replies:
        click.echo(f"Profile {context.settings.profile} has no way that could be asked.")
        return
    render.print_table(_REPLIES, map(_row, replies))
    answered = (
        f"{len(replies) - len(failed)} of {len(replies)} ways answered for the {DAYS} days until {context.yesterday}"
    )
    click.echo(f"\n{answered}; nothing was stored. What was sent may begin earlier than that.")
    for reply, error in failed:
        # no table: where a terminal breaks a line, the command in it is still whole for the clipboard
        click.echo()
        click.secho(f"failed: {reply.dataset} by {reply.way}, {error.type}", fg="red")
        click.echo(indent(context.localized(error.message.strip()), "  "))


def document(context: Context, replies: Sequence[Reply]) -> list[dict[str, object]]:
    """Return the replies as JSON has them."""
    return [
        {
            "dataset": reply.dataset,
            "way": reply.way,
            "answered": reply.error is None,
            "rows": reply.rows,
            "first": reply.first,
            "last": reply.last,
            "seconds": round(reply.seconds, 3),
            "error": reply.error
            and {"type": reply.error.type, "message": context.localized(reply.error.message.strip())},
        }
        for reply in replies
    ]


def _answer(reply: Reply) -> str:
    if reply.error:
        return "FAILED"
    return "ok" if reply.rows else "no row"


def _row(reply: Reply) -> list[str]:
    return [
        reply.dataset,
        reply.way,
        _answer(reply),
        "" if reply.rows is None else f"{reply.rows:,}",
        str(reply.first or ""),
        str(reply.last or ""),
        f"{reply.seconds:.1f}",
    ]
