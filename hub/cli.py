"""The command line ``hubshelf-hub``.

What happens: ``--home`` becomes the environment variable that Django's settings read; then Django starts; then the
command runs. With ``--json`` standard output carries exactly one JSON document, errors included; progress and logs
go to standard error. Exit 0: done; 1: something failed, in words; 2: wrong usage.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import home as homes
from .errors import DatabaseUnusable, HubError, InvalidInput, means_unusable

if TYPE_CHECKING:
    from .models import Request

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Failed(click.ClickException):
    """A command ran to its end and has something to show, but did not do what was asked."""

    exit_code = 1


def as_json_option(command: _Command) -> _Command:
    """``--json`` at any command; before the command's name it works too."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"The hub's folder. {homes.ENVIRONMENT_VARIABLE} stands for it.",
)
@as_json_option
@click.version_option(package_name="hubshelf", prog_name="hubshelf-hub")
def cli(home: Path | None, as_json: bool) -> None:
    """Run an education hub: collect resources, answer questions, publish for places with poor links."""
    del as_json  # every command asks for it through wants_json
    if home is not None:
        os.environ[homes.ENVIRONMENT_VARIABLE] = str(home.expanduser().absolute())


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``hubshelf-hub``; leaves through SystemExit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _stated_errors():
            cli.main(given, prog_name="hubshelf-hub", standalone_mode=False)
        code = 0
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.Abort:
        code = _fail(given, "interrupted", "The command was interrupted.", "Run it again to go on.", 1)
    except Failed as failed:
        code = failed.exit_code
    except click.ClickException as wrong:
        if "--json" not in given:
            wrong.show()
            code = wrong.exit_code
        else:
            advice = "Run the command with --help to see how it is used."
            code = _fail(given, "usage", wrong.format_message(), advice, wrong.exit_code)
    except HubError as error:
        code = _fail(given, error.code, str(error), error.advice, 1)
    except BrokenPipeError:
        # Whoever read our output has left; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


@contextmanager
def _stated_errors() -> Iterator[None]:
    """Errors of the database and the disk become ours, in words."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import Error

    try:
        yield
    except Error as error:
        if not means_unusable(error):
            raise
        raise DatabaseUnusable(str(error).split("\n")[0][:200]) from error
    except ImproperlyConfigured as error:
        raise InvalidInput(
            f"The hub's settings cannot be used: {error}.", "Check DATABASE_URL and the HUBSHELF_HUB_ variables."
        ) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise HubError(
            f"The disk or the network failed: {error.strerror or error}. What was not finished was not saved.",
            "Check free space and rights of the hub's folder, then run the command again.",
        ) from error


def _fail(given: Sequence[str], code: str, message: str, advice: str, status: int) -> int:
    if "--json" in given:
        _write_json({"error": {"code": code, "message": message, "advice": advice}})
    else:
        click.echo(f"Error: {message}", err=True)
        click.echo(advice, err=True)
    return status


def _write_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, default=str).encode() + b"\n", nl=False)


def start_django() -> Path:
    """Start Django for an existing home and return it. Raises NotInitialised."""
    home = homes.hub_home()
    homes.require_initialised(home)
    _set_up_django()
    return home


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    import django

    django.setup()


def show(as_json: bool, document: dict[str, Any], lines: Sequence[str]) -> None:
    """Print a result: the document with ``--json`` (here or before the command), else the lines."""
    if wants_json(as_json):
        _write_json(document)
    else:
        for line in lines:
            click.echo(line)


def wants_json(as_json: bool) -> bool:
    """Whether JSON was asked for, before or behind the command's name."""
    context = click.get_current_context().find_root()
    return as_json or bool(context.params.get("as_json"))


@cli.command()
@click.option("--email", default="", help="Address of the first facilitator.")
@click.option("--password", default="", help="Their password; without one, a password is made and shown once.")
@as_json_option
def init(email: str, password: str, as_json: bool) -> None:
    """Make the hub's folder, database, keys and first facilitator. Safe to run again."""
    home = homes.hub_home()
    fresh = not homes.secret_key_path(home).exists()
    homes.prepare(home)
    _set_up_django()
    from django.core.management import call_command

    from .facilitators import ensure_facilitator
    from .publishing.keys import ensure_keys
    from .vocabularies import load_taxonomies

    call_command("migrate", interactive=False, verbosity=0)
    themes = load_taxonomies()
    ensure_keys(home)
    facilitator = ensure_facilitator(email, password)
    lines = [f"The hub in {home} is ready."]
    if facilitator and facilitator.password:
        lines.append(f"Facilitator: {facilitator.email}")
        lines.append(f"Password (shown only now): {facilitator.password}")
    lines.append("Next: hubshelf-hub import FILE…, hubshelf-hub publish, hubshelf-hub serve")
    document = {
        "home": str(home),
        "created": fresh,
        "themes": themes,
        "facilitator": asdict(facilitator) if facilitator else None,
    }
    show(as_json, document, lines)


@cli.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=COLUMN,…",
    help='Columns of a CSV file, such as title="Project Name",summary=Abstract; or a JSON file with them.',
)
@click.option("--draft", is_flag=True, help="Keep what is new unpublished until a facilitator releases it.")
@as_json_option
def import_(files: tuple[Path, ...], mapping: tuple[str, ...], draft: bool, as_json: bool) -> None:
    """Import FILES: JSON Lines, ERIC JSON, CSV, RIS, BibTeX, CSL-JSON or Zotero JSON."""
    start_django()
    from .imports import import_files, parse_mapping

    report = import_files(
        files,
        draft=draft,
        mapping=parse_mapping(mapping),
        progress=lambda file, count: click.echo(f"{Path(file).name}: {count:,} records", err=True),
    )
    lines = [
        f"{report.read:,} records read: {report.created:,} new, {report.updated:,} changed, "
        f"{report.unchanged:,} as before, {report.deleted:,} withdrawn, {len(report.rejected):,} rejected."
    ]
    for entry in report.rejected[:50]:
        lines.append(f"  {entry.file}{', ' + entry.where if entry.where else ''}: {entry.reason}")
    if len(report.rejected) > 50:
        lines.append(f"  … and {len(report.rejected) - 50:,} more; --json lists them all.")
    document = report.to_json()
    failed = bool(report.rejected) and not report.taken
    if failed:
        document["error"] = {
            "code": "nothing-imported",
            "message": "Nothing could be imported.",
            "advice": "See the reasons under “rejected”, correct the file and import it again.",
        }
        lines.append("Nothing could be imported; correct the file and import it again.")
    show(as_json, document, lines)
    if failed:
        raise Failed("nothing could be imported")


@cli.group()
def vocabulary() -> None:
    """Vocabularies (SKOS) whose labels lead a search from one language to the others."""


@vocabulary.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--id", "key", default="", help="What to call it here; the file's name, where nothing is said.")
@click.option(
    "--lang", "languages", multiple=True, help="Publish labels in this language; else in those of the hub."
)
@as_json_option
def vocabulary_import(file: Path, key: str, languages: tuple[str, ...], as_json: bool) -> None:
    """Load a vocabulary from FILE (Turtle, N-Triples, RDF/XML, JSON-LD), or what is new in it."""
    start_django()
    from .skos.storing import import_vocabulary

    report = import_vocabulary(file, key=key, languages=languages)
    found = report.vocabulary
    lines = [
        f"{found.id}: {found.concepts:,} concepts, {report.created:,} new, {report.updated:,} changed, "
        f"{report.deleted:,} gone; {found.labels:,} labels in {', '.join(found.languages)}.",
        *(f"  Left out: {count:,} {what}." for what, count in sorted(report.left_out.items())),
        "Next: hubshelf-hub publish",
    ]
    show(as_json, report.to_json(), lines)


@vocabulary.command("list")
@as_json_option
def vocabulary_list(as_json: bool) -> None:
    """List the vocabularies that were loaded."""
    start_django()
    from .skos.storing import listed

    found = listed()
    lines = [f"{v.id}  {v.title}  {v.concepts:,} concepts  {', '.join(v.languages)}  {v.rights}" for v in found]
    show(as_json, {"vocabularies": [asdict(v) for v in found]}, lines or ["No vocabularies."])


@vocabulary.command("remove")
@click.argument("key", metavar="ID")
@as_json_option
def vocabulary_remove(key: str, as_json: bool) -> None:
    """Take the vocabulary ID off the hub, and with the next publication off every shelf."""
    start_django()
    from .skos.storing import remove

    gone = remove(key)
    show(as_json, asdict(gone), [f"{gone.title} was removed.", "Next: hubshelf-hub publish"])


@cli.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json_option
def export(file: Path, as_json: bool) -> None:
    """Write everything published to FILE in the native exchange format (JSON Lines)."""
    start_django()
    from .exports import export_to

    exported = export_to(file)
    show(
        as_json,
        {"file": str(file), **asdict(exported)},
        [f"{exported.records:,} records and {exported.files:,} files, {exported.bytes:,} bytes, in {file}."],
    )


@cli.command()
@click.option("--whole", is_flag=True, help="Compare everything, instead of what is marked as changed.")
@as_json_option
def publish(whole: bool, as_json: bool) -> None:
    """Seal what changed and sign it, so that shelves fetch it at their next sync."""
    start_django()
    from .publishing.sealer import publish as seal

    published = seal(whole=whole)
    show(
        as_json,
        asdict(published),
        [
            f"{published.put:,} records put and {published.deleted:,} deleted in {published.streams:,} streams; "
            f"head {published.epoch}.{published.version}, {published.seconds:.1f} s."
        ],
    )


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8440, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Speak TLS with this certificate (PEM, with its chain): for a small hub without a proxy in front.",
)
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="The certificate's key (PEM).")
@as_json_option
def serve(host: str, port: int, certificate: Path | None, key: Path | None, as_json: bool) -> None:
    """Serve the hub until it is stopped."""
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together.")
    if certificate is not None:
        # Read by Django's settings: cookies of the admin then travel over HTTPS only.
        os.environ["HUBSHELF_HUB_HTTPS"] = "1"
    start_django()
    from .serving import Certificate, unreachable_names
    from .serving import serve as run

    if warning := unreachable_names(host):
        click.echo(warning, err=True)

    def announce(address: str) -> None:
        show(as_json, {"address": address}, [f"Serving on {address} (stop with Ctrl+C)"])
        sys.stdout.flush()

    run(host, port, announce, Certificate(certificate, key) if certificate and key else None)


@cli.command()
@as_json_option
def tidy(as_json: bool) -> None:
    """Thin out what is kept for long: receipts of more than 24 months ago, uploads that nobody finished."""
    start_django()
    from django.utils import timezone

    from .attachments import sweep
    from .planes.retention import thin

    now = timezone.now()
    receipts, uploads = thin(now), sweep(now)
    lines = [f"{receipts:,} old receipts keep only their verdict; {uploads:,} unfinished uploads were removed."]
    show(as_json, {"receipts": receipts, "uploads": uploads}, lines)


@cli.command()
@click.argument("email")
@click.option("--name", default="")
@click.option("--category", default="", help="For example government-policymaker, researcher, ngo-advocacy.")
@click.option("--country", default="", help="Two letters of ISO 3166.")
@as_json_option
def invite(email: str, name: str, category: str, country: str, as_json: bool) -> None:
    """Make a one-time code for the member with this EMAIL; it is shown once and good for 30 days."""
    start_django()
    from .invitations import invite as make_code
    from .models.devices import INVITATION_LIFETIME

    code = make_code(email, name=name, category=category, country=country)
    show(as_json, {"code": code, "email": email, "days": INVITATION_LIFETIME.days}, [code])


@cli.command()
@click.option("--all", "everything", is_flag=True, help="Closed and declined ones too.")
@as_json_option
def questions(everything: bool, as_json: bool) -> None:
    """List what members asked: those that wait for an answer first, the oldest on top."""
    start_django()
    from .questions import listed

    found = [_question(request) for request in listed(everything)]
    lines = [f"{q['id']}  {q['state']:<12} {q['age_days']:>4} d  {q['title']}" for q in found]
    show(as_json, {"questions": found}, lines or ["No questions."])


def _question(request: Request) -> dict[str, Any]:
    from .times import to_wire

    asker = None
    if not request.anonymous:
        asker = {"name": request.member.name, "email": request.member.email}
    return {
        "id": request.id,
        "kind": request.kind,
        "title": request.title,
        "body": request.body,
        "lang": request.lang,
        "state": request.state,
        "created": to_wire(request.created),
        "age_days": request.age().days,
        "needed_by": request.needed_by.isoformat() if request.needed_by else None,
        "confidential": request.confidential,
        "satisfaction": request.satisfaction or None,
        "satisfaction_words": request.satisfaction_words or None,
        "may_publish": request.may_publish,
        "asked_by": asker,
    }


@cli.command()
@click.argument("question_id", metavar="ID")
@click.option("--body-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--author", default="Facilitation team", show_default=True, help="Name shown to the asker.")
@click.option("--cite", "cites", multiple=True, metavar="RECORD-ID", help="A resource that the answer rests on.")
@click.option(
    "--attach", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file for the asker alone.",
)  # fmt: skip
@as_json_option
def reply(
    question_id: str, body_file: Path, author: str, cites: tuple[str, ...], files: tuple[Path, ...], as_json: bool
) -> None:
    """Answer the question ID with the text in a file."""
    start_django()
    from .questions import answer, given_file

    try:
        body = body_file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(
            f"{body_file.name} is not UTF-8 text, so nothing was sent.", "Save it as UTF-8 and try again."
        ) from None
    sent = answer(question_id, body, author, cites, [given_file(path) for path in files])
    show(
        as_json,
        {"id": sent.id, "request": sent.request_id, "state": sent.request.state},
        ["Answered. It reaches the asker at their next sync."],
    )


@cli.command()
@click.argument("question_id", metavar="ID")
@click.option("--answers", is_flag=True, help="The answers too, where the asker allows it.")
@as_json_option
def share(question_id: str, answers: bool, as_json: bool) -> None:
    """Put the question ID before the community as a discussion; `publish` then sends it out."""
    start_django()
    from .community_copies import share as share_copy

    thread = share_copy(question_id, "command-line", answers=answers)
    show(as_json, {"thread": thread.id}, [f"“{thread.title}” is a discussion now. Publish to send it out."])


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@as_json_option
def backup(folder: Path, as_json: bool) -> None:
    """Copy the whole hub into a new FOLDER; it may go on serving. The copy holds the signing keys."""
    home = start_django()
    from .backups import backup as copy

    show(
        as_json,
        {"folder": str(copy(home, folder))},
        [f"The hub was copied to {folder}. Keep it as safe as the hub."],
    )


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@as_json_option
def restore(folder: Path, as_json: bool) -> None:
    """Put the backup in FOLDER in place of this hub (stopped) and begin a new epoch."""
    home = start_django()
    from .backups import restore as put_back

    epoch = put_back(home, folder)
    lines = [f"The backup is in place; epoch {epoch} has begun.", "Next: hubshelf-hub publish, hubshelf-hub serve"]
    show(as_json, {"epoch": epoch}, lines)


@cli.command("new-epoch")
@as_json_option
def new_epoch(as_json: bool) -> None:
    """Begin a new epoch after the database was put back by other means: shelves fetch everything again."""
    home = start_django()
    from .publishing.epochs import begin_new_epoch

    epoch = begin_new_epoch(home)
    show(as_json, {"epoch": epoch}, [f"Epoch {epoch} has begun.", "Next: hubshelf-hub publish"])


@cli.command("rotate-key")
@as_json_option
def rotate_key(as_json: bool) -> None:
    """Replace the key that signs publications; keys/root.key must be there for this command."""
    home = start_django()
    from .publishing.keys import rotate_head_key

    root = rotate_head_key(home)
    show(as_json, {"root": root.version}, [f"Root {root.version} names a new key.", "Next: hubshelf-hub publish"])


@cli.command()
@click.argument("addresses", nargs=-1)
@click.option("--none", "nowhere", is_flag=True, help="Name no mirrors any more.")
@as_json_option
def mirrors(addresses: tuple[str, ...], nowhere: bool, as_json: bool) -> None:
    """Name the ADDRESSES that serve this hub's public objects as well; without any, show them."""
    start_django()
    from sync.protocol.paths import normalise_base

    from .publishing import epochs

    if addresses or nowhere:
        try:
            epochs.set_value("mirrors", [normalise_base(address, plain=True) for address in addresses])
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    named = list(epochs.get_value("mirrors", []))
    lines = [*named, "Next: hubshelf-hub publish"] if addresses or nowhere else named or ["No mirrors are named."]
    show(as_json, {"mirrors": named}, lines)


from .build_commands import build  # noqa: E402  # these use what is above
from .device_commands import devices, group, revoke  # noqa: E402
from .mirror_commands import mirror  # noqa: E402
from .pack_commands import pack  # noqa: E402
from .relocation_commands import relocate  # noqa: E402
from .site_code_commands import approve, joining, site_code  # noqa: E402
from .source_commands import inbox, source  # noqa: E402

for command in (approve, build, devices, group, inbox, joining, mirror, pack, relocate, revoke, site_code, source):
    cli.add_command(command)
