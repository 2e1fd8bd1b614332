"""The commands `hubshelf-hub devices`, `group` and `revoke`: the PCs that members enrolled."""

from __future__ import annotations

from pathlib import Path

import click

from .cli import as_json_option, show, start_django


@click.command()
@click.option("--silent", type=click.IntRange(1, 3650), help="Those alone that were not here for so many days.")
@click.option("--failing", is_flag=True, help="Those alone that told of failures.")
@click.option("--version", "of_version", default="", help="Those alone that told of this version.")
@click.option("--group", "in_group", default="", help="Those alone of this group.")
@click.option("--csv", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write them to a CSV file.")
@as_json_option
def devices(
    silent: int | None, failing: bool, of_version: str, in_group: str, target: Path | None, as_json: bool
) -> None:
    """List the devices that members enrolled, and what those told of themselves that may."""
    start_django()
    from . import fleet
    from .models import Device

    found = Device.objects.select_related("member", "site")
    if silent is not None:
        found = fleet.silent(found, silent)
    if failing:
        found = found.exclude(failures={})
    if of_version:
        found = found.filter(version=of_version)
    if in_group:
        found = found.filter(group=in_group)
    if target is not None:
        target.write_bytes(fleet.as_csv(found))
    rows = []
    for device in found:
        row = fleet.row(device)
        rows.append({**row, "created": row["enrolled"], "member": row["email"], "member_name": row["member"]})
    lines = [
        f"{one['id']}  {one['member']}  {one['name']}  {one['version'] or '-'}  "
        f"{'revoked' if one['revoked'] else one['last_seen'] or 'never seen'}"
        for one in rows
    ]
    show(as_json, {"devices": rows}, lines or ["No devices."])


@click.command("group")
@click.argument("name")
@click.argument("devices", metavar="DEVICE...", nargs=-1, required=True)
@as_json_option
def group(name: str, devices: tuple[str, ...], as_json: bool) -> None:
    """Put each DEVICE into the group NAME ("" for none); a version can be given to a group first."""
    start_django()
    from . import fleet

    changed = fleet.put_into_group(name, devices)
    lines = [f"{changed} devices changed. They learn it at their next sync."]
    show(as_json, {"group": name, "changed": changed}, lines)


@click.command()
@click.argument("device_id", metavar="DEVICE")
@click.option("--lost", is_flag=True, help="It was lost or stolen: it removes all that is its person's as well.")
@as_json_option
def revoke(device_id: str, lost: bool, as_json: bool) -> None:
    """Take back the access of a DEVICE that was lost or whose member left."""
    home = start_django()
    from .invitations import revoke as take_back
    from .publishing.members import due
    from .times import to_wire

    device = take_back(device_id, lost=lost)
    moment = to_wire(device.revoked) if device.revoked else None
    lines = [f"{device} can no longer sync."]
    if device.lost:
        lines.append("At its next contact it removes what its person wrote and received, sent or not.")
    if due(home):
        lines.append("Next: hubshelf-hub publish, so that others' devices get a new key for members' pages")
    show(as_json, {"id": device.id, "revoked": moment, "lost": device.lost}, lines)
