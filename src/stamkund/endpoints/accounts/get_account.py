"""Get account: one account by any of its identifiers."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import identifiers, scopes, values
from stamkund.rules.account import Account, Address, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.identifiers import Identifier
from stamkund.rules.subscription import EXTERNAL_START_SERVICE, end_date, state_at
from stamkund.rules.timestamps import Zone, zone
from stamkund.wire.endpoint import Call, Example, Item, endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.services import Services

ID = Parameter("id", values.ID, "The account's id.")
EMAIL = Parameter("email", values.EMAIL, "The account's e-mail address, without regard to case. URL-encoded.")
PERSON_NUMBER = Parameter("social_security_number", values.PERSON_NUMBER_KEY, "The account's social security number.")
CUSTOMER_NUMBER = Parameter("customer_number", values.CUSTOMER_NUMBER, "The account's customer number.")
EXTERNAL_KEY = Parameter(
    "external_id_key",
    values.EXTERNAL_ID,
    "The key of one of the account's external ids. With `external_id_value`.",
)
EXTERNAL_VALUE = Parameter(
    "external_id_value", values.EXTERNAL_ID, "The value of that external id. With `external_id_key`."
)
ALIAS = Parameter("alias", values.ALIAS_KEY, "The account's alias.")
TULO_NUMBER = Parameter("tulo_customer_number", values.TULO_CUSTOMER_NUMBER, "The account's own customer number here.")

KEYS = (ID, EMAIL, PERSON_NUMBER, CUSTOMER_NUMBER, EXTERNAL_KEY, ALIAS, TULO_NUMBER)
_DOCUMENTED_KEYS = tuple(p.name for p in (ID, EMAIL, PERSON_NUMBER, CUSTOMER_NUMBER, EXTERNAL_KEY))


class AccountProduct(msgspec.Struct):
    """A user product as `/accounts` shows it. Times: ISO 8601 with the offset of the organisation's time zone.

    `external_start_date` is there only where `provision_service` is `kayak`.
    """

    id: str
    created: str
    updated: str
    product_code: str
    title_code: str | None
    valid_from: str | None
    valid_to: str | None
    provision_service: str | None
    subscription_type: str | None
    subscription_number: str | None
    state: str
    has_pending_change_request: bool
    campaign_end_date: str | None
    subscription_end_date: str | None
    external_start_date: str | UnsetType | None = UNSET


class AccountAddress(msgspec.Struct):
    """The address as `/accounts` shows it."""

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
    country_code: str | None


class ShownAccount(msgspec.Struct):
    """Keys and order of the document "Get account". `gender` is there only when something is known of it."""

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
    gender: str | UnsetType
    company_registration_number: str | None
    company_name: str | None
    alias: str | None
    address: AccountAddress
    identity_mapping: list[ExternalId]
    user_products: list[AccountProduct]
    accepted_marketing_permissions: list[MarketingPermission]


class AccountResponse(msgspec.Struct):
    item: ShownAccount


_ANSWER = """
{
    "item": {
        "id": "585a4768edce2c5e6f000001",
        "email": "kalle.anka@example.com",
        "status": "created",
        "verified": false,
        "customer_number": "12345",
        "first_name": "Kalle",
        "last_name": "Anka",
        "mobile_phone_number": "50460531",
        "social_security_number": "800610-8230",
        "social_security_number_century": "198006108230",
        "age": 40,
        "gender": "M",
        "company_registration_number": null,
        "company_name": null,
        "alias": "Kalle123",
        "address": {
            "first_name": "Kalle",
            "last_name": "Anka",
            "street": "The Streets",
            "street_number": "12",
            "staircase": "A",
            "floor": "3",
            "apartment_number": "13",
            "zip_code": "83242",
            "city": "Stockholm",
            "drop_box": null,
            "country_code": "SE"
        },
        "identity_mapping": [
            {
                "key": "Key 1",
                "value": "Value 1"
            },
            {
                "key": "Key 2",
                "value": "Value 2"
            }
        ],
        "user_products": [
            {
                "id": "585a4768edce2c5e6f000003",
                "created": "2016-12-21T10:12:08+01:00",
                "updated": "2016-12-21T10:12:08+01:00",
                "product_code": "package_code",
                "title_code": "TITLE_CODE",
                "valid_from": "2016-12-20T10:12:08+01:00",
                "valid_to": "2016-12-22T10:12:08+01:00",
                "provision_service": "kayak",
                "subscription_type": "recurring",
                "subscription_number": "12345",
                "state": "activated",
                "has_pending_change_request": false,
                "campaign_end_date": null,
                "subscription_end_date": "2016-12-22T10:12:08+01:00",
                "external_start_date": "2016-12-20T10:12:08+01:00"
            }
        ],
        "accepted_marketing_permissions": [
            {
                "id": "5ba4a64509c04c5ab4000001",
                "type": "sms"
            }
        ]
    }
}
"""


def exactly_one(given: ParsedParameters) -> None:
    """The external id is one key of two halves; of all keys exactly one must be given."""
    if len(given) == 1 and EXTERNAL_KEY not in given and EXTERNAL_VALUE not in given:
        return
    for half, other in ((EXTERNAL_KEY, EXTERNAL_VALUE), (EXTERNAL_VALUE, EXTERNAL_KEY)):
        if half in given and other not in given:
            raise Refused(problems.required(other.name))
    sent = [p.name for p in KEYS if p in given]
    if not sent:
        raise Refused(problems.one_required(_DOCUMENTED_KEYS))
    if len(sent) > 1:
        raise Refused(problems.only_one(sent))


def wanted(given: ParsedParameters, services: Services) -> Identifier:
    """The identifier that the query names."""
    if (email := given.get(EMAIL)) is not None:
        return identifiers.email(email)
    if (number := given.get(PERSON_NUMBER)) is not None:
        return Identifier(identifiers.PERSON_NUMBER, services.vault.number_lookup_hash(number))
    if EXTERNAL_KEY in given:
        return identifiers.external_id(given[EXTERNAL_KEY], given[EXTERNAL_VALUE])
    (name,) = given.names()
    return Identifier(name, next(str(given[p]) for p in KEYS if p.name == name))


@endpoint(
    "GET",
    "/external/api/v1/accounts",
    title="Get account",
    source='document "Get account" (/accounts), release 3.9.1',
    scope=scopes.ACCOUNT_WRITE,
    parameters=(
        ID,
        EMAIL,
        PERSON_NUMBER,
        CUSTOMER_NUMBER,
        EXTERNAL_KEY,
        EXTERNAL_VALUE,
        ALIAS,
        TULO_NUMBER,
    ),
    check=exactly_one,
    subject=wanted,
    answer=AccountResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(query="email=kalle.anka%40example.com", answer=_ANSWER),
)
async def get_account(call: Call) -> Item:
    """Answers one account with its subscriptions, found by exactly one of its identifiers.

    To learn what the reader may read, ask for the active products instead.
    """
    account = call.account()
    if account is None:
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    return Item(_shown(account, zone(call.caller.organisation.timezone), call.now))


def _shown(account: Account, local: Zone, now: int) -> ShownAccount:
    number = account.social_security_number
    return ShownAccount(
        account.id,
        account.email,
        account.status,
        account.verified,
        account.customer_number,
        account.first_name,
        account.last_name,
        account.mobile_phone_number,
        number.ten if number else None,
        number.twelve if number else None,
        account.age(local.today(now)),
        (number.gender if number else None) or UNSET,
        account.company_registration_number,
        account.company_name,
        account.alias,
        _address(account.address),
        account.identity_mapping,
        [_product(p, local, now) for p in account.user_products],
        account.accepted_marketing_permissions,
    )


def _address(address: Address) -> AccountAddress:
    return AccountAddress(
        address.first_name,
        address.last_name,
        address.street,
        address.street_number,
        address.staircase,
        address.floor,
        address.apartment_number,
        address.zip_code,
        address.city,
        address.drop_box,
        address.country_code,
    )


def _product(product: UserProduct, local: Zone, now: int) -> AccountProduct:
    end = end_date(product.subscription_end_date, product.subscription_type, product.state, product.valid_to)
    return AccountProduct(
        product.id,
        local.format(product.created),
        local.format(product.updated),
        product.product_code,
        product.title_code,
        local.format_optional(product.valid_from),
        local.format_optional(product.valid_to),
        product.provision_service,
        product.subscription_type,
        product.subscription_number,
        state_at(product.state, product.valid_from, product.valid_to, now),
        product.has_pending_change_request,
        local.format_optional(product.campaign_end_date),
        local.format_optional(end),
        local.format_optional(product.external_start_date)
        if product.provision_service == EXTERNAL_START_SERVICE
        else UNSET,
    )
