"""The manual page of `hubshelf`, made from the words that its `--help` shows, so that it is always right."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

from desktop.cli import main

_FILES = {
    "~/.local/share/Hubshelf": "a person's shelf, where neither --home nor HUBSHELF_HOME says otherwise",
    "/etc/hubshelf/policies.json": "what an administrator decided for this computer",
    "/usr/share/doc/hubshelf/THIRD-PARTY-NOTICES": "the work of others in it, and its licences",
}
_VARIABLES = {
    "HUBSHELF_HOME": "folder of the shelf",
    "HUBSHELF_KEYRING": "“off”: the device's secret is kept in a private file, never in a keychain",
}


def man_page(version: str, made_at: int) -> str:
    """The page in roff; `made_at`: seconds since 1970."""
    day = datetime.fromtimestamp(made_at, UTC).date().isoformat()
    page = [
        f'.TH HUBSHELF 1 "{day}" "Hubshelf {version}" "User commands"',
        ".SH NAME",
        r"hubshelf \- an education hub that works where the network does not",
        ".SH SYNOPSIS",
        ".B hubshelf",
        r"[\fB\-\-home\fR \fIDIR\fR] [\fICOMMAND\fR [\fIOPTIONS\fR]]",
        ".SH DESCRIPTION",
        _text(
            "Without a command it opens the window. "
            "Each command takes --json: one JSON document on standard output."
        ),
        ".SH COMMANDS",
    ]
    page += _commands(main, [])
    page.append(".SH ENVIRONMENT")
    page += [line for name, words in _VARIABLES.items() for line in (".TP", f".B {_text(name)}", _text(words))]
    page.append(".SH FILES")
    page += [line for name, words in _FILES.items() for line in (".TP", f".I {_text(name)}", _text(words))]
    page += [".SH EXIT STATUS", "0: done; 1: something failed, with what to do; 2: wrong usage."]
    return "\n".join(page) + "\n"


def _commands(group: click.Group, above: list[str]) -> list[str]:
    found = []
    for name, command in sorted(group.commands.items()):
        names = [*above, name]
        if isinstance(command, click.Group):
            found += _commands(command, names)
            continue
        with click.Context(command, info_name=name) as context:
            usage = " ".join(command.collect_usage_pieces(context))
            options = [option.get_help_record(context) for option in command.params]
        found += [".TP", rf"\fB{_text(' '.join(names))}\fR {_text(usage)}", _text(command.help or "")]
        shown = [one for one in options if one is not None]
        if shown:
            found.append(".RS")
            for flags, words in shown:
                found += [".TP", rf"\fB{_text(flags)}\fR", _text(words)]
            found.append(".RE")
    return found


def _text(words: str) -> str:
    """Words as roff takes them: on one line, with nothing in them that it would read as its own."""
    plain = re.sub(r"\s+", " ", words.replace("\b", "")).strip()
    plain = plain.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain[:1] in {".", "'"} else plain
