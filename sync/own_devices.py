"""The person's own devices as the hub knows them, and taking access from the others. Needs a connection."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Sequence

from sync.answers import read_all, require
from sync.errors import AuthNeeded, CaptivePortal, HubProblem, HubTooOld, SyncError, from_wire
from sync.home import Home
from sync.protocol import limits
from sync.protocol.devices import DeviceEntry, DevicesAnswer, DevicesRequest, MoveRequest
from sync.protocol.errors import ProtocolError
from sync.protocol.messages_v1 import verify_answer
from sync.protocol.paths import DEVICES, MAC_HEADER
from sync.refusals import meaning
from sync.transport import Request, Transport


def own_devices(home: Home, transport: Transport, *, revoke: str = "") -> Sequence[DeviceEntry]:
    """Return the member's devices, after the one with the id `revoke` lost its access.

    Raises AuthNeeded (a guest, or a device without access), HubProblem, HubTooOld, Offline, CaptivePortal,
    NotTrusted, SecretsUnusable.
    """
    token = home.secrets().token()
    if not token:
        raise AuthNeeded("Only a member's device can ask for the list of devices.")
    request = DevicesRequest(new_nonce(), revoke, platform.system())
    try:
        return DevicesAnswer.from_bytes(ask(transport, DEVICES, token, request)).devices
    except ProtocolError as error:
        raise from_wire(error) from error
    except HubProblem as refused:
        raise no_such_address(refused) from None


def new_nonce() -> str:
    """32 hexadecimal characters, fresh each time."""
    return secrets.token_hex(16)


def no_such_address(refused: HubProblem) -> SyncError:
    """What a refusal means here: a hub of before, which does not have this address, or what it says."""
    if refused.problem.code == "not-found":
        return HubTooOld("The hub is of an older version, which knows nothing of this.")
    return meaning(refused.problem)


def ask(transport: Transport, path: str, token: str, message: MoveRequest | DevicesRequest) -> bytes:
    """Send a message under `token` and return the answer, which only the hub can have made.

    Raises HubProblem, Offline, CaptivePortal (no MAC), ProtocolError (a wrong MAC).
    """
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with transport.open(Request("POST", path, headers, message.to_bytes())) as reply:
        require(reply, 200)
        answer = read_all(reply, 2 * limits.ROOT)
        mac = reply.headers.get(MAC_HEADER)
    if mac is None:
        raise CaptivePortal("Something answered that is not the hub: the answer is not authenticated.")
    verify_answer(token, message.nonce, answer, mac)
    return answer
