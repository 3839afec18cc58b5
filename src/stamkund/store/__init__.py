"""The only SQL: verbs in the words of the trade, each of them one transaction.

`Store` is what the rest of the code sees, one attribute for each subject: `store.accounts.activate(…)`. A verb is
written once, as a generator method (`verb.py`, `work.py`), and runs on either engine (`sqlite.py`, `postgres.py`); both
pass one conformance suite (`tests/store/`). Values of ours go in and come out; rows, placeholders and transactions
stay in here.
"""

from __future__ import annotations

from stamkund.store.documents import Documents, EncodedCustomer
from stamkund.store.engine import Engine
from stamkund.store.store import Store
from stamkund.store.verbs.account_changes import AccountChange, AccountKey
from stamkund.store.verbs.account_status import NotActive
from stamkund.store.verbs.candidates import Candidate
from stamkund.store.verbs.catalogues import CatalogueVersion, LoadedCatalogue
from stamkund.store.verbs.customers import (
    CANDIDATE,
    RENAMED,
    BatchResult,
    CustomerChange,
    CustomerUpdate,
    RejectedRow,
)
from stamkund.store.verbs.logins import Login
from stamkund.store.verbs.lookups import (
    TOKEN_ACCOUNT,
    AccountLookup,
    AuthenticatedToken,
    NumberLookup,
    TokenAccount,
    TokenLookup,
)
from stamkund.store.verbs.mails import Claim, ClaimedMail, QueuedMail
from stamkund.store.verbs.one_time_credentials import CODE, TICKET, OneTimeCredential
from stamkund.store.verbs.renumbering import MoveRefused
from stamkund.store.verbs.sessions import SessionLookup, SiteVisitor
from stamkund.store.verbs.sso_logins import EarlierLogin
from stamkund.store.verbs.tokens import ACCESS, REFRESH, Issue, NewToken, Refresh, RefreshPolicy, SessionUse
from stamkund.store.verbs.visitor_addresses import SHARED_SESSIONS
from stamkund.store.work import Unavailable, UniqueConflict

__all__ = [
    "ACCESS",
    "CANDIDATE",
    "CODE",
    "REFRESH",
    "RENAMED",
    "SHARED_SESSIONS",
    "TICKET",
    "TOKEN_ACCOUNT",
    "AccountChange",
    "AccountKey",
    "AccountLookup",
    "AuthenticatedToken",
    "BatchResult",
    "Candidate",
    "CatalogueVersion",
    "Claim",
    "ClaimedMail",
    "CustomerChange",
    "CustomerUpdate",
    "Documents",
    "EarlierLogin",
    "EncodedCustomer",
    "Engine",
    "Issue",
    "LoadedCatalogue",
    "Login",
    "MoveRefused",
    "NewToken",
    "NotActive",
    "NumberLookup",
    "OneTimeCredential",
    "QueuedMail",
    "Refresh",
    "RefreshPolicy",
    "RejectedRow",
    "SessionLookup",
    "SessionUse",
    "SiteVisitor",
    "Store",
    "TokenAccount",
    "TokenLookup",
    "Unavailable",
    "UniqueConflict",
]
