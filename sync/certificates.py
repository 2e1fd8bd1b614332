"""Who signed the certificate that a server shows: asked after it was refused, and remembered where it was good.

So the words can say "Office Proxy CA" instead of "somebody", and that it was another authority until now.
"""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from sync.connections import Wire
from sync.dialling import dial
from sync.errors import SyncError

_SECONDS = 6.0
_MOST = 80
"""Characters of a name: whoever shows a certificate chooses them."""


def issuer_of(certificate: bytes | None) -> str:
    """Return who signed a certificate (DER), by the names in it; "" where it cannot be read."""
    if not certificate:
        return ""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        issuer = x509.load_der_x509_certificate(certificate).issuer
        names = [
            str(one.value)
            for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
            for one in issuer.get_attributes_for_oid(kind)[:1]
        ]
    except (ValueError, TypeError, x509.UnsupportedGeneralNameType):
        return ""
    words = ", ".join(dict.fromkeys(" ".join(name.split()) for name in names if name.strip()))
    return "".join(letter for letter in words if letter.isprintable())[:_MOST]


def signer_at(url: str, proxy: str, wire: Wire) -> str:
    """Return who signed what the server at `url` shows, "" where that cannot be learnt.

    Asks once more, believing nothing, and says nothing but hello: no request, no token. `proxy`: as it is asked,
    "" for none; it is told what it was told before. `wire`: ends it when it is interrupted.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    through = urlsplit(proxy)
    if proxy:
        link = http.client.HTTPSConnection(
            through.hostname or "", through.port or 80, timeout=_SECONDS, context=context
        )
        link.set_tunnel(host, port, _login(through.username, through.password))
    else:
        link = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)

    def open_connection(address: tuple[str, int], *_others: Any) -> Any:
        made = dial(*address, _SECONDS, wanted=lambda: not wire.interrupted)
        wire.opened(made)
        return made

    link._create_connection = open_connection  # type: ignore[attr-defined]  # so that it can be given up
    try:
        link.connect()
        return issuer_of(link.sock.getpeercert(True)) if isinstance(link.sock, ssl.SSLSocket) else ""
    except (OSError, SyncError, http.client.HTTPException, ValueError):
        return ""
    finally:
        with suppress(OSError):
            link.close()


def _login(name: str | None, password: str | None) -> dict[str, str]:
    if not name:
        return {}
    both = f"{unquote(name)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(both.encode()).decode()}"}
