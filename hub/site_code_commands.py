"""The commands `hubshelf-hub site-code …`, `joining` and `approve`: PCs that come in with one code for all."""

from __future__ import annotations

import datetime

import click

from sync.protocol import trust

from .cli import as_json_option, show, start_django


@click.group("site-code")
def site_code() -> None:
    """Codes with which the PCs of an office join by themselves."""


@site_code.command("create")
@click.option("--uses", type=int, required=True, help="For how many PCs.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day, such as 2027-06-30 (UTC); else 90 days from now.",
)
@click.option("--note", default="", help="Which office it is for.")
@click.option("--group", default="", help="The group that its PCs come into, for versions that some try first.")
@as_json_option
def create(uses: int, expires: datetime.datetime | None, note: str, group: str, as_json: bool) -> None:
    """Make a site code; it is shown once."""
    home = start_django()
    from . import site_codes
    from .publishing import keys
    from .times import to_wire

    end = expires and expires.replace(hour=23, minute=59, second=59, tzinfo=datetime.UTC)
    made, code = site_codes.create(uses, end, note, group=group)
    first = keys.root_document(home, 1)
    key = trust.pin(first).fingerprint if first is not None else None
    document = {"id": made.pk, "code": code, "uses": uses, "expires": to_wire(made.expires), "hub_key": key}
    lines = [code, f"For {uses:,} PCs, until {made.expires:%Y-%m-%d}. In policies.json:"]
    lines += [f'  "site_code": "{code}",', f'  "hub_key": "{key}"']
    show(as_json, document, lines)


@site_code.command("list")
@as_json_option
def list_(as_json: bool) -> None:
    """List site codes: what they are for, how many places are taken, and until when they are good."""
    start_django()
    from .models import SiteCode
    from .times import to_wire

    found = [
        {
            "id": one.pk,
            "note": one.note,
            "uses": one.uses,
            "used": one.used,
            "expires": to_wire(one.expires),
            "revoked": one.revoked and to_wire(one.revoked),
            "standing": one.standing,
        }
        for one in SiteCode.objects.all()
    ]
    lines = [
        f"{c['id']}  {c['standing']:<8} {c['used']:>6} of {c['uses']:<6} {c['expires']}  {c['note']}"
        for c in found
    ]
    show(as_json, {"site_codes": found}, lines or ["No site codes."])


@site_code.command("revoke")
@click.argument("number", type=int)
@as_json_option
def revoke(number: int, as_json: bool) -> None:
    """End the site code with this NUMBER; PCs that came in with it stay."""
    start_django()
    from . import site_codes
    from .times import to_wire

    done = site_codes.revoke(number)
    lines = [f"Nobody else comes in with site code {number}. {done.used} PCs did; `hubshelf-hub revoke` ends one."]
    show(as_json, {"id": done.pk, "revoked": done.revoked and to_wire(done.revoked)}, lines)


@click.command("joining")
@as_json_option
def joining(as_json: bool) -> None:
    """List who waits to be approved: PCs that came in with a site code, and what people there said."""
    start_django()
    from .models import Member
    from .times import to_wire

    found = [
        {
            "id": member.pk,
            "name": member.name,
            "email": member.said_email or None,
            "devices": [device.name for device in member.devices.all()],
            "site": next((device.site.note for device in member.devices.all() if device.site is not None), ""),
            "since": to_wire(member.created),
        }
        for member in Member.objects.filter(state=Member.State.JOINING).prefetch_related("devices__site")
    ]
    lines = [
        f"{m['id']}  {m['name']}  {m['email'] or '(nobody has said who they are)'}  {m['site']}" for m in found
    ]
    show(as_json, {"joining": found}, lines or ["Nobody is joining."])


@click.command("approve")
@click.argument("member_id", metavar="MEMBER")
@as_json_option
def approve(member_id: str, as_json: bool) -> None:
    """Make somebody who is joining a MEMBER, under the address that they gave."""
    start_django()
    from . import site_codes

    done = site_codes.approve(member_id)
    show(as_json, {"id": done.pk, "email": done.email, "name": done.name}, [f"{done} is a member now."])
