"""What `stamkund doctor` says about the clients of an organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stamkund.cli.findings import FAILED, NOTE, Finding
from stamkund.rules.client_rules import broken_rules
from stamkund.rules.organisation import CODE_GRANT, Client
from stamkund.settings import Settings


def client_findings(clients: Iterable[Client], settings: Settings) -> Iterator[Finding]:
    """Clients from before a rule was made that break it, and those that could be safer. Disabled ones do no harm."""
    enabled = [client for client in clients if not client.disabled]
    plain_http = settings.issuer.startswith("http:")
    for client in enabled:
        for rule in broken_rules(client, plain_http=plain_http):
            yield FAILED, f"client {client.id} ({client.name}): {rule}; see `stamkund client change`"
    without = [client for client in enabled if _could_require_pkce(client)]
    if without:
        yield (
            NOTE,
            "these clients get authorization codes without having to prove with PKCE that a code is their own: "
            f"{_names(without)}. Where a site sends code_challenge anyway, require it with "
            "`stamkund client change ID --require-pkce`; a site that gets no codes needs no such grant (--grant)",
        )
    unnoticed = [client for client in enabled if client.public and client.gets_refresh_tokens and not client.rotation]
    if unnoticed:
        yield (
            NOTE,
            "these public clients have refresh tokens that don't rotate, so nobody notices when one is stolen (RFC "
            f"9700, 2.2.2): {_names(unnoticed)}. Where an app can store a new one at each use, switch rotation on with "
            "`stamkund client change ID --rotate-refresh-tokens`",
        )


def _names(clients: list[Client]) -> str:
    return ", ".join(f"{client.id} ({client.name})" for client in clients)


def _could_require_pkce(client: Client) -> bool:
    return CODE_GRANT in client.allowed_grants and bool(client.redirect_uris) and not client.pkce_required
