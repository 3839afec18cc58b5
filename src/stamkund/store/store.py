"""`Store`: the verbs of every subject on one open engine."""

from __future__ import annotations

from stamkund.store.documents import Documents
from stamkund.store.engine import Engine
from stamkund.store.migrations import schema_version
from stamkund.store.verbs.accounts import AccountVerbs
from stamkund.store.verbs.audit import AuditVerbs
from stamkund.store.verbs.branding import BrandingVerbs
from stamkund.store.verbs.call_counts import CallCountVerbs
from stamkund.store.verbs.candidates import CandidateVerbs
from stamkund.store.verbs.catalogues import CatalogueVerbs
from stamkund.store.verbs.clients import ClientVerbs
from stamkund.store.verbs.customers import CustomerVerbs
from stamkund.store.verbs.encryption import EncryptionVerbs
from stamkund.store.verbs.id_token_keys import IdTokenKeyVerbs
from stamkund.store.verbs.login_attempts import LoginAttemptVerbs
from stamkund.store.verbs.logins import LoginVerbs
from stamkund.store.verbs.mail_templates import MailTemplateVerbs
from stamkund.store.verbs.mails import MailVerbs
from stamkund.store.verbs.one_time_credentials import OneTimeCredentialVerbs
from stamkund.store.verbs.organisations import OrganisationVerbs
from stamkund.store.verbs.outbox import OutboxVerbs
from stamkund.store.verbs.sessions import SessionVerbs
from stamkund.store.verbs.sso_logins import SsoLoginVerbs
from stamkund.store.verbs.tokens import TokenVerbs
from stamkund.store.verbs.visitor_addresses import VisitorAddressVerbs
from stamkund.vault import Vault


class Store:
    """What the rest of the code may do with the database. Every verb raises Unavailable when it is out of reach."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        """`vault` seals and opens what documents hold sealed."""
        self.engine = engine
        self.documents = Documents(vault)
        parts = (engine, self.documents)
        self.accounts = AccountVerbs(*parts)
        self.audit = AuditVerbs(*parts)
        self.branding = BrandingVerbs(*parts)
        self.call_counts = CallCountVerbs(*parts)
        self.candidates = CandidateVerbs(*parts)
        self.catalogues = CatalogueVerbs(*parts)
        self.clients = ClientVerbs(*parts)
        self.customers = CustomerVerbs(*parts)
        self.encryption = EncryptionVerbs(*parts, vault)
        self.id_token_keys = IdTokenKeyVerbs(*parts)
        self.login_attempts = LoginAttemptVerbs(*parts)
        self.logins = LoginVerbs(*parts)
        self.mail_templates = MailTemplateVerbs(*parts)
        self.mails = MailVerbs(*parts)
        self.one_time_credentials = OneTimeCredentialVerbs(*parts)
        self.organisations = OrganisationVerbs(*parts)
        self.outbox = OutboxVerbs(*parts)
        self.sessions = SessionVerbs(*parts)
        self.sso_logins = SsoLoginVerbs(*parts)
        self.tokens = TokenVerbs(*parts)
        self.visitor_addresses = VisitorAddressVerbs(*parts)

    async def ping(self) -> None:
        """Returns when the database responds."""
        await self.engine.read(schema_version)
