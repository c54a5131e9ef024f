"""The report of a campaign as a page: the figures, what was found by cause, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pywasm_ref.tools.difftest.shards import Finding
    from pywasm_ref.tools.difftest.totals import Totals

STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}
h1{font-size:1.5em;margin:0 0 .6em}h2{font-size:1.15em;margin:2em 0 .6em}p{margin:.4em 0}a{color:#0b57a4}
ul.figures{display:flex;flex-wrap:wrap;gap:.6em;list-style:none;padding:0;margin:0}
ul.figures li{border:1px solid #ddd;border-radius:6px;padding:.4em 1em;min-width:6em}
ul.figures b{display:block;font-size:1.35em;font-weight:600}ul.figures .bad b,p.bad{color:#a8231a}ul.figures span{color:#666;font-size:13px}
table{border-collapse:collapse;margin:.6em 0}
td,th{border-bottom:1px solid #ddd;padding:.35em .9em .35em 0;text-align:left;vertical-align:top}
th{color:#666;font-weight:500;font-size:13px}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.find{border-left:4px solid #c8372d;padding:.3em 0 .3em 1em;margin:1em 0}.explained{border-left-color:#8aa}
.find b{overflow-wrap:anywhere}.says{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:.4em 0}
.says span{color:#666}code{font-size:13px;overflow-wrap:anywhere}"""


def page(settings: Mapping[str, Any], totals: Totals) -> str:
    """The whole page, with nothing to load."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Differential campaign</title><style>{STYLE}</style><h1>Differential campaign</h1>",
        _figures(totals),
        *([f"<p class=bad>Not begun: {', '.join(totals.not_begun())}.</p>"] if totals.not_begun() else []),
        "<h2>Findings by cause</h2>",
        _finds(totals, totals.unexplained(), "find") or "<p>None.</p>",
        *_section("Explained differences", _finds(totals, [row for row in totals.findings if row.explained], "find explained")),
        *_section("Instructions", _opcodes(totals)),
        "<h2>Work</h2>",
        _table(("work", "jobs", "usable"), ((name, n, totals.usable[name]) for name, n in sorted(totals.jobs.items()))),
        "<h2>How modules and calls ended on the first engine</h2>",
        _table(("outcome", "times"), totals.outcomes.most_common()),
        "<h2>Settings</h2>",
        _table(("setting", "value"), ((name, _words(value)) for name, value in settings.items() if value not in (None, ""))),
    ]
    return "\n".join([*parts, "</html>", ""])


def _section(title: str, words: str) -> list[str]:
    """A part with its heading, where there is something to say."""
    return [f"<h2>{title}</h2>", words] if words else []


def _figures(totals: Totals) -> str:
    found = len(totals.unexplained())
    rows = [
        (f"{totals.jobs.total():,}", "jobs", ""),
        *([(f"{totals.share():.1f} %", "of modules usable", "")] if totals.meant() else []),
        (f"{found:,}", "findings", "bad" if found else ""),
        (f"{len(totals.findings) - found:,}", "explained", ""),
    ]
    if totals.seconds:
        rows.insert(1, (f"{totals.rate():.1f}", "jobs a second", ""))
    if totals.opcodes:
        rows.append((f"{len(totals.executed)}/{len(totals.opcodes)}", "instructions executed", ""))
    items = "".join(f"<li class='{kind}'><b>{n}</b><span>{words}</span></li>" for n, words, kind in rows)
    return f"<ul class=figures>{items}</ul>"


def _opcodes(totals: Totals) -> str:
    if not totals.opcodes:
        return ""
    missing = totals.missing()
    if not missing:
        return f"<p>All {len(totals.opcodes)} were executed by the reference engine.</p>"
    words = ", ".join(f"<code>{escape(name)}</code>" for name in missing)
    return f"<p>{len(missing)} of {len(totals.opcodes)} were not executed by the reference engine: {words}.</p>"


def _finds(totals: Totals, findings: Sequence[Finding], kind: str) -> str:
    """One part for each cause, or for each reason where that is known, the commonest first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.explained or finding.cause, []).append(finding)
    return "".join(_find(cause, found, totals.finds.get(cause, ""), kind) for cause, found in sorted(groups.items(), key=_times))


def _times(group: tuple[str, list[Finding]]) -> int:
    return -len(group[1])


def _find(cause: str, found: Sequence[Finding], script: str, kind: str) -> str:
    first = found[0]
    says = "".join(
        f"<span>{escape(name)}</span><code>{escape(said)}</code>"
        for name, said in ((first.first, first.said_first), (first.second, first.said_second))
    )
    where = f"{len(found):,} time{'s' * (len(found) > 1)}; first {first.work} {first.release}, seed {first.seed}, {first.where}"
    link = f'<p>Script: <a href="{escape(script)}"><code>{escape(script)}</code></a></p>' if script else ""
    return f"<div class='{kind}'><b>{escape(cause)}</b><p>{escape(where)}</p><div class=says>{says}</div>{link}</div>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(word)}</th>" for word in heads)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    return f"<td class=n>{value:,}</td>" if isinstance(value, int) else f"<td><code>{escape(str(value))}</code></td>"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part:,}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
