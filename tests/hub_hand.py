"""A hub's hand: one process that does what facilitators do, with the hub's own functions, command by command.

Reads JSON lines {"action", …} and answers each with {"result": …} or {"error": text}. Starting `hubshelf-hub` anew
for each of hundreds of steps would cost a second each; the commands themselves are tested in tests/hub.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

import django


def act(action: str, arguments: dict[str, Any]) -> Any:
    # Imported here: models can only be loaded once Django is set up.
    from django.conf import settings

    from hub import attachments
    from hub.backups import backup, restore
    from hub.imports import import_files
    from hub.invitations import invite, revoke
    from hub.models import (
        Device,
        Member,
        Message,
        Request,
        RequestReply,
        Resource,
        SiteCode,
        StreamRecord,
        Thread,
    )
    from hub.publishing.sealer import publish
    from hub.questions import Given
    from hub.questions import answer as answer_question

    if action == "import":
        report = import_files([Path(arguments["file"])])
        return {"created": report.created, "rejected": len(report.rejected)}
    if action == "publish":
        done = publish()
        return {"put": done.put, "deleted": done.deleted, "epoch": done.epoch, "version": done.version}
    if action == "invite":
        return invite(arguments["email"])
    if action == "revoke":
        return [revoke(device.id).id for device in Device.objects.filter(revoked=None)]
    if action == "mirror":
        from hub.mirroring.copying import mirror
        from hub.mirroring.places import Folder

        found = mirror(settings.HOME, Folder(Path(arguments["folder"])), check=arguments.get("check", False))
        return {"new": found.new, "new_bytes": found.new_bytes, "files": found.files, "removed": found.removed}
    if action == "backup":
        return str(backup(settings.HOME, Path(arguments["folder"])))
    if action == "restore":
        return restore(settings.HOME, Path(arguments["folder"]))
    if action == "withdraw":
        return Resource.objects.filter(pk=arguments["id"]).update(state="withdrawn")
    if action == "notice":
        fields = {f"notice_{name}": value for name, value in arguments.items() if name != "id"}
        return Resource.objects.filter(pk=arguments["id"]).update(**fields)
    if action == "handle":
        from hub import reports

        waiting = reports.waiting()["reports"]
        return [reports.handle(one.pk, arguments["outcome"], "bo@hub.example") and one.words for one in waiting]
    if action == "edit":
        return Resource.objects.filter(pk=arguments["id"]).update(title=arguments["title"])
    if action == "mirrors":
        from hub.publishing import epochs

        return epochs.set_value("mirrors", arguments["addresses"])
    if action == "discuss":
        thread, _new = Thread.objects.update_or_create(
            id=arguments["id"],
            defaults={"title": arguments["title"], "lang": "en", "visibility": arguments["visibility"]},
        )
        for number, body in enumerate(arguments["messages"]):
            Message.objects.update_or_create(
                id=f"{thread.pk}-{number}", defaults={"thread": thread, "body": body, "state": "published"}
            )
        return thread.pk
    if action == "reply":
        files = [
            Given(name, "application/pdf", [text.encode()]) for name, text in arguments.get("files", {}).items()
        ]
        answer_question(arguments["id"], arguments["body"], "Facilitator", files=files)
        return None
    if action == "attached":
        listed = attachments.listed(Request.objects.get(pk=arguments["id"]))
        return {
            one.attachment.name: one.path and hashlib.sha256(one.path.read_bytes()).hexdigest() for one in listed
        }
    if action == "approve":
        return Message.objects.filter(state="pending").update(state="published")
    if action == "public":
        return {
            "resources": dict(Resource.objects.filter(state="published").values_list("id", "title")),
            "threads": list(Thread.objects.filter(state="published").values_list("id", flat=True)),
            "messages": list(Message.objects.filter(state="published").values_list("id", flat=True)),
        }
    if action == "sealed":
        sealed: dict[str, dict[str, str]] = {}
        rows = StreamRecord.objects.filter(deleted=False).values_list("stream_id", "record_id", "body")
        for stream, record, body in rows.iterator():
            sealed.setdefault(stream, {})[record] = hashlib.sha256(bytes(body)).hexdigest()
        return sealed
    if action == "export-pack":
        from hub.packs.exporting import export_pack

        return export_pack(Path(arguments["target"])).written.bytes
    if action == "site-code":
        from hub import site_codes

        made, code = site_codes.create(arguments["uses"], note="Annex")
        return {"id": made.pk, "code": code}
    if action == "revoke-site-code":
        from hub import site_codes

        return site_codes.revoke(arguments["id"]).used
    if action == "taken":
        return SiteCode.objects.get(pk=arguments["id"]).used
    if action == "joining":
        return [
            {"id": one.pk, "name": one.name, "email": one.said_email}
            for one in Member.objects.filter(state="joining")
        ]
    if action == "approve-member":
        from hub import site_codes

        return site_codes.approve(arguments["id"]).email
    if action == "requests":
        return {
            row.id: {
                "title": row.title,
                "state": row.state,
                "body": row.body,
                "replies": list(RequestReply.objects.filter(request=row).values_list("body", flat=True)),
            }
            for row in Request.objects.all()
        }
    raise ValueError(f"no such action: {action}")


def main() -> None:
    django.setup()
    for line in sys.stdin:
        arguments = json.loads(line)
        action = arguments.pop("action")
        try:
            answer = {"result": act(action, arguments)}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{action}: {type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
