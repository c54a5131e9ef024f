"""The report of a campaign as a page: counts, and findings by their cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pywasm_ref.tools.difftest.campaign import Totals

STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
th{background:#f3f3f3}td.n{text-align:right;white-space:nowrap}code{font-size:13px;overflow-wrap:anywhere}"""


def page(settings: Mapping[str, Any], totals: Totals) -> str:
    """The whole page, with nothing to load."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Differential campaign</title>",
        f"<style>{STYLE}</style><h1>Differential campaign</h1><p>{escape(totals.line())}</p>",
        _table(("setting", "value"), ((name, _words(value)) for name, value in settings.items())),
        "<h2>Work</h2>",
        _table(("work", "jobs", "usable"), ((name, n, totals.usable[name]) for name, n in sorted(totals.jobs.items()))),
        "<h2>How modules and calls ended on the first engine</h2>",
        _table(("outcome", "times"), totals.outcomes.most_common()),
        "<h2>Findings by cause</h2>",
        _findings(totals),
    ]
    return "\n".join([*parts, "</html>", ""])


def _findings(totals: Totals) -> str:
    groups: dict[str, list[Any]] = {}
    for finding in totals.findings:
        groups.setdefault(finding.cause, []).append(finding)
    rows = [
        (len(found), cause, str(found[0]), found[0].explained or totals.finds.get(cause, ""))
        for cause, found in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    return _table(("times", "cause", "first", "explained, or the script"), rows) if rows else "<p>None.</p>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    if isinstance(value, str) and value.startswith("finds/"):
        return f'<td><a href="{escape(value)}"><code>{escape(value)}</code></a></td>'
    return f"<td class=n>{value:,}</td>" if isinstance(value, int) else f"<td><code>{escape(str(value))}</code></td>"


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
