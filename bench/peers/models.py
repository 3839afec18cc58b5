"""The row tables the two FastAPI peers share, as one would lay them out without further thought."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, DateTime, ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench.peers.common import age

ID = String(24)
TIMESTAMP = DateTime(timezone=True)


class Base(DeclarativeBase):
    """All tables of the peers."""


class Client(Base):
    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str]
    secret_hash: Mapped[str]


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True, index=True)
    status: Mapped[str]
    verified: Mapped[bool] = mapped_column(Boolean)
    customer_number: Mapped[str | None] = mapped_column(index=True)
    tulo_customer_number: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    mobile_phone_number: Mapped[str | None]
    social_security_number: Mapped[str | None]
    social_security_number_century: Mapped[str | None]
    birth_date: Mapped[date | None]
    gender: Mapped[str | None]
    company_registration_number: Mapped[str | None]
    company_name: Mapped[str | None]
    alias: Mapped[str | None]
    account_origin: Mapped[str | None]

    address: Mapped[Address | None] = relationship(back_populates="account")
    user_products: Mapped[list[UserProduct]] = relationship(order_by="UserProduct.id")
    identity_mapping: Mapped[list[IdentityMapping]] = relationship(order_by="IdentityMapping.id")
    accepted_marketing_permissions: Mapped[list[MarketingPermission]] = relationship(order_by="MarketingPermission.id")

    @property
    def age(self) -> int | None:
        return age(self.birth_date)


class Token(Base):
    __tablename__ = "tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey(Client.id))
    account_id: Mapped[str | None] = mapped_column(ForeignKey(Account.id))
    scopes: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP)


class Address(Base):
    __tablename__ = "addresses"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(Account.id), unique=True, index=True)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    street: Mapped[str | None]
    street_number: Mapped[str | None]
    staircase: Mapped[str | None]
    floor: Mapped[str | None]
    apartment_number: Mapped[str | None]
    zip_code: Mapped[str | None]
    city: Mapped[str | None]
    drop_box: Mapped[str | None]
    country_code: Mapped[str | None]

    account: Mapped[Account] = relationship(back_populates="address")


class UserProduct(Base):
    __tablename__ = "user_products"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(Account.id), index=True)
    created: Mapped[datetime] = mapped_column(TIMESTAMP)
    updated: Mapped[datetime] = mapped_column(TIMESTAMP)
    product_code: Mapped[str]
    title_code: Mapped[str]
    valid_from: Mapped[datetime] = mapped_column(TIMESTAMP)
    valid_to: Mapped[datetime | None] = mapped_column(TIMESTAMP)
    provision_service: Mapped[str | None]
    subscription_type: Mapped[str | None]
    subscription_number: Mapped[str | None]
    order_id: Mapped[str | None]
    state: Mapped[str]
    has_pending_change_request: Mapped[bool] = mapped_column(Boolean)
    campaign_end_date: Mapped[datetime | None] = mapped_column(TIMESTAMP)
    subscription_end_date: Mapped[datetime | None] = mapped_column(TIMESTAMP)


class IdentityMapping(Base):
    __tablename__ = "identity_mappings"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(Account.id), index=True)
    key: Mapped[str]
    value: Mapped[str]


class MarketingPermission(Base):
    __tablename__ = "marketing_permissions"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(Account.id), index=True)
    type: Mapped[str]
