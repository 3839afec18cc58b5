"""Which client calls: by id and secret in the form or as HTTP Basic, or for a public client by its id alone."""

from __future__ import annotations

import base64
import binascii
import hmac

from stamkund.endpoints.oauth.errors import OAuthError, invalid_client
from stamkund.rules.organisation import Client, Organisation
from stamkund.wire.about import FormField
from stamkund.wire.call import Call
from stamkund.wire.escapes import unescaped_field

_MAX_BASIC_LENGTH = 1_024
"""Of id and secret of a client in base64: several times as long as ours are."""

CLIENT_FIELDS = (
    FormField("client_id", "The client's id. Not with HTTP Basic.", example="585a4768edce2c5e6f000001"),
    FormField(
        "client_secret",
        "The client's secret. Not with HTTP Basic; a public client has none.",
        example="<secret>",
    ),
)
"""How a client authenticates itself in every form of OAuth's, for the reference."""


async def authenticate_by_secret(call: Call) -> tuple[Client, Organisation]:
    """Authenticates the call as that of the client whose id and secret were sent; returns it with its organisation.

    The call then belongs to the client (`call.client`). Raises OAuthError, the same for every failure.
    """
    client_id, secret = credentials(call)
    stored = await call.services.store.clients.by_sent_id(client_id)
    if stored is None or not authenticate_client(call, stored[0], secret):
        raise invalid_client()
    return stored


def credentials(call: Call) -> tuple[str, str]:
    """Id and secret as they were sent, empty where they were not. Raises OAuthError.

    Standard libraries encode both as in a form before HTTP Basic (RFC 6749, 2.3.1), others paste them. Ours contain no
    `%` and no `+`, so decoding does not change those that were pasted.
    """
    scheme, _, encoded = call.headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        if len(encoded) > _MAX_BASIC_LENGTH:
            raise invalid_client()
        try:
            client_id, _, secret = base64.b64decode(encoded.strip(b" \t"), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise invalid_client() from None
        client_id, secret = (unescaped_field(text.encode()).decode(errors="replace") for text in (client_id, secret))
        if "client_secret" in call.form or call.form.get("client_id", client_id).lower() != client_id.lower():
            raise OAuthError(
                "invalid_request", "A client authenticates itself by HTTP Basic or in the form, not by both"
            )
        return client_id, secret
    return call.form.get("client_id", ""), call.form.get("client_secret", "")


def authenticate_client(call: Call, client: Client, secret: str) -> bool:
    """Authenticates the call as the client's, where `secret` is one of its valid secrets; returns whether it is.

    A public client must send none. The call then belongs to the client (`call.client`). A wrong secret is counted, and
    never keeps the right one out: a client's id is no secret, so anybody can send wrong ones.
    """
    if client.disabled:
        return False
    valid = not secret if client.public else _is_secret(call, client, secret)
    if valid:
        call.authenticate_client(client)
    else:
        call.services.audit_budget.count_wrong_secret(client, call.now)
    return valid


def _is_secret(call: Call, client: Client, secret: str) -> bool:
    sent = secret.encode(errors="replace")
    secrets = call.services.client_secrets.valid(client, call.now)
    # Every secret is compared, in constant time, whichever matches.
    return sum(hmac.compare_digest(sent, s.encode()) for s in secrets) > 0
