"""The job as most would write it: FastAPI, SQLAlchemy ORM, pydantic models, plain `def` endpoints.

Four queries find an account: the row with its address joined, and one `selectinload` for each of
the three collections, which is what SQLAlchemy's manual advises; lazy loading would need one more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker
from sqlalchemy.sql.base import ExecutableOption

from bench.peers.common import ACCOUNT_SCOPE, ME_SCOPE, PREFIX, database_url, in_stockholm, token_digest
from bench.peers.models import Account, Token


def _with_driver(url: str) -> str:
    """Name psycopg 2: of the two usual synchronous drivers it measured faster here."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


# The default pool of 15 can stand still under 64 clients: FastAPI's 40 threads all wait for a
# connection while the sessions that hold one wait for a thread. So the pool is as large as they.
POOL_SIZE = int(os.environ.get("PEER_POOL_SIZE", "40"))

engine = create_engine(_with_driver(database_url()), pool_size=POOL_SIZE)
SessionLocal = sessionmaker(engine)
app = FastAPI()

Timestamp = Annotated[datetime, AfterValidator(in_stockholm)]


class Schema(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class MyAddressOut(Schema):
    first_name: str | None
    last_name: str | None
    street: str | None
    street_number: str | None
    staircase: str | None
    floor: str | None
    apartment_number: str | None
    zip_code: str | None
    city: str | None
    drop_box: str | None


class AddressOut(MyAddressOut):
    country_code: str | None


class IdentityMappingOut(Schema):
    key: str
    value: str


class MarketingPermissionOut(Schema):
    id: str
    type: str


class ProductBase(Schema):
    id: str
    created: Timestamp
    updated: Timestamp
    product_code: str
    title_code: str
    valid_from: Timestamp
    valid_to: Timestamp | None
    provision_service: str | None
    subscription_type: str | None
    subscription_number: str | None
    state: str


class ProductOut(ProductBase):
    has_pending_change_request: bool
    campaign_end_date: Timestamp | None
    subscription_end_date: Timestamp | None


class MyProductOut(ProductBase):
    order_id: str | None


class AccountBase(Schema):
    id: str
    email: str
    status: str
    verified: bool
    customer_number: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone_number: str | None
    social_security_number: str | None
    social_security_number_century: str | None
    age: int | None
    gender: str | None
    company_registration_number: str | None
    alias: str | None
    identity_mapping: list[IdentityMappingOut]
    accepted_marketing_permissions: list[MarketingPermissionOut]


class AccountOut(AccountBase):
    company_name: str | None
    address: AddressOut | None
    user_products: list[ProductOut]


class MeOut(AccountBase):
    tulo_customer_number: str | None
    birth_date: date | None
    account_origin: str | None
    address: MyAddressOut | None
    user_products: list[MyProductOut]


class AccountItem(Schema):
    item: AccountOut


class MeItem(Schema):
    item: MeOut


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(get_session)]
Authorization = Annotated[str | None, Header()]


def require_token(session: Session, authorization: str | None, scope: str) -> Token:
    # Called by the endpoint instead of being a dependency, which would cost one more thread switch.
    kind, _, text = (authorization or "").partition(" ")
    token: Token | None = session.get(Token, token_digest(text)) if kind.lower() == "bearer" else None
    if token is None or _aware(token.expires_at) <= datetime.now(UTC):
        raise HTTPException(401, "invalid token")
    if scope not in token.scopes.split():
        raise HTTPException(403, "insufficient scope")
    return token


def _aware(timestamp: datetime) -> datetime:
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


def with_everything() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(Account.address),
        selectinload(Account.user_products),
        selectinload(Account.identity_mapping),
        selectinload(Account.accepted_marketing_permissions),
    )


@app.get(PREFIX + "/accounts", response_model=AccountItem)
def account_by_email(email: str, session: Db, authorization: Authorization = None) -> dict[str, Account]:
    require_token(session, authorization, ACCOUNT_SCOPE)
    query = select(Account).where(Account.email == email.lower()).options(*with_everything())
    account = session.scalar(query)
    if account is None:
        raise HTTPException(404, "account not found")
    return {"item": account}


@app.get(PREFIX + "/me", response_model=MeItem)
def me(session: Db, authorization: Authorization = None) -> dict[str, Account]:
    token = require_token(session, authorization, ME_SCOPE)
    if token.account_id is None:
        raise HTTPException(403, "the token stands for no account")
    query = select(Account).where(Account.id == token.account_id).options(*with_everything())
    return {"item": session.scalars(query).one()}
