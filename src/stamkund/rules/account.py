"""An account with everything that belongs to it: one document in the store.

Field names are the API's; times are timestamps. What changes with the day (age, state of a subscription, offset of a
time) is computed when a response is made and never stored. Sources: the documents "Get account" for `/accounts` and
`/me`, and section 2 of the wire contract.
"""

from __future__ import annotations

from datetime import date

import msgspec

from stamkund.rules.person_number import PersonNumber


class Personal(msgspec.Struct, omit_defaults=True):
    """A document with personal data. Its repr is the type alone, so that no log or traceback shows personal data."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Address(Personal):
    """An address, with the fields of the documents (the Payway Address); every value may be missing.

    The older calls show fewer of them. The country codes are those of ISO 3166-1, two capital letters.
    """

    first_name: str | None = None
    last_name: str | None = None
    street: str | None = None
    street_number: str | None = None
    staircase: str | None = None
    floor: str | None = None
    apartment_number: str | None = None
    zip_code: str | None = None
    city: str | None = None
    drop_box: str | None = None
    country_code: str | None = None
    company_name: str | None = None
    company_department: str | None = None
    company_reference: str | None = None
    company_crn: str | None = None
    company_vat_number: str | None = None
    care_of: str | None = None
    apartment: str | None = None
    citizenship_country_code: str | None = None
    mobile_number: str | None = None
    phone_number: str | None = None
    contact_email: str | None = None


class ExternalId(Personal):
    """An id in another system (`identity_mapping`): 1..128 characters each, unique in the organisation."""

    key: str
    value: str


class MarketingPermission(msgspec.Struct):
    """An accepted marketing permission: its id and how it reaches the person (`sms`, `email` …)."""

    id: str
    type: str


class UserProduct(msgspec.Struct, omit_defaults=True):
    """A subscription of an account.

    `product_code` is the package's code. `state` is what the subscription system reported last;
    `rules.subscription.state_at` returns the state at a given time. `valid_to` None: the end is not known.
    """

    id: str
    product_code: str
    created: int
    updated: int
    state: str
    valid_from: int | None = None
    valid_to: int | None = None
    title_code: str | None = None
    order_id: str | None = None
    provision_service: str | None = None
    subscription_type: str | None = None
    subscription_number: str | None = None
    has_pending_change_request: bool = False
    campaign_end_date: int | None = None
    subscription_end_date: int | None = None
    external_start_date: int | None = None


CREATED = "created"
"""The status of an account that can't be used yet: its e-mail waits for verification."""
ACTIVE = "active"
"""The one status that allows logging in."""
INACTIVE = "inactive"
"""The status of an account that an operator blocked; it keeps its keys."""
ARCHIVED = "archived"
"""The status of an account whose personal data is gone and whose keys are free; calls say that there is none."""
LOGIN_DISABLED = "login_disabled"
"""What channels read in place of `active` where logging in is disabled. No call shows it."""


class Account(Personal):
    """A reader's account.

    - `status`: created, active, inactive or archived.
    - `verified`: whether the e-mail was verified, or need not be.
    - `login_disabled`: nobody may log in, as if the account were inactive; calls about it work.
    - `tags`: the publisher's own labels, each once, in the publisher's order.
    """

    id: str
    email: str
    status: str
    verified: bool
    created: int
    updated: int
    customer_number: str | None = None
    tulo_customer_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    mobile_phone_number: str | None = None
    birth_date: date | None = None
    social_security_number: PersonNumber | None = None
    company_registration_number: str | None = None
    company_name: str | None = None
    alias: str | None = None
    account_origin: str | None = None
    created_from_source: str | None = None
    address: Address = msgspec.field(default_factory=Address)
    identity_mapping: list[ExternalId] = []
    user_products: list[UserProduct] = []
    accepted_marketing_permissions: list[MarketingPermission] = []
    login_disabled: bool = False
    tags: list[str] = []

    @property
    def login_status(self) -> str:
        """The status that every channel goes by: only an account with `active` may be logged in to."""
        return LOGIN_DISABLED if self.login_disabled and self.status == ACTIVE else self.status

    def effective_birth_date(self) -> date | None:
        """The stored birth date, else the one that follows from the social security number."""
        if self.birth_date is not None or self.social_security_number is None:
            return self.birth_date
        return self.social_security_number.birth_date
