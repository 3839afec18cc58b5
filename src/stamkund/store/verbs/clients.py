"""Verbs about clients: the applications that may call."""

from __future__ import annotations

from collections.abc import Callable

from stamkund.rules.ids import parse_id
from stamkund.rules.organisation import Client, Organisation
from stamkund.store.documents import client_of
from stamkund.store.verb import Verbs, reads, writes
from stamkund.store.verbs.organisations import organisation
from stamkund.store.work import Execute, Sql, Work, first, for_update

_OF_ORGANISATION = Sql("SELECT document FROM clients WHERE organisation = $1 ORDER BY id")
_ALL = Sql("SELECT document FROM clients")
_ONE = Sql("SELECT document FROM clients WHERE id = $1")
LOCK = for_update(_ONE.postgres)
_ADD = Sql("INSERT INTO clients (id, organisation, document) VALUES ($1, $2, $3)")
SET = Sql("UPDATE clients SET document = $2 WHERE id = $1")


class ClientVerbs(Verbs):
    @reads
    def of_organisation(self, organisation_id: str) -> Work[list[Client]]:
        """The organisation's clients, by id."""
        return [client_of(row["document"]) for row in (yield Execute(_OF_ORGANISATION, (organisation_id,)))]

    async def by_sent_id(self, client_id: str) -> tuple[Client, Organisation] | None:
        """As `get`, by what somebody sent as an id: in upper case too, and None for what can't be one."""
        id_ = parse_id(client_id)
        return None if id_ is None else await self.get(id_)

    @reads
    def get(self, client_id: str) -> Work[tuple[Client, Organisation] | None]:
        """A client and the organisation that it belongs to."""
        row = first((yield Execute(_ONE, (client_id,))))
        if row is None:
            return None
        client = client_of(row["document"])
        owner = yield from organisation(client.organisation)
        return None if owner is None else (client, owner)

    @reads
    def origins(self) -> Work[frozenset[str]]:
        """The web origins that the enabled clients of all organisations list."""
        clients = [client_of(row["document"]) for row in (yield Execute(_ALL))]
        return frozenset(origin for client in clients if not client.disabled for origin in client.origins)

    @writes
    def add(self, client: Client) -> Work[None]:
        yield Execute(_ADD, (client.id, client.organisation, self._documents.text(client)))

    @writes
    def change(self, client_id: str, change: Callable[[Client], Client]) -> Work[Client | None]:
        """Replaces a client by what `change` makes of it; None where there is no such client."""
        row = first((yield Execute(LOCK, (client_id,))))
        if row is None:
            return None
        changed = change(client_of(row["document"]))
        yield Execute(SET, (client_id, self._documents.text(changed)))
        return changed
