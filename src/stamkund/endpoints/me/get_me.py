"""Get current account: the account that the access token stands for."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import scopes
from stamkund.rules.account import Account, Address, ExternalId, MarketingPermission, UserProduct
from stamkund.rules.subscription import state_at
from stamkund.rules.timestamps import Zone, zone
from stamkund.store import TOKEN_ACCOUNT, TokenAccount
from stamkund.wire.endpoint import Call, Example, Item, endpoint
from stamkund.wire.parameters import ParsedParameters
from stamkund.wire.services import Services


class MyProduct(msgspec.Struct):
    """A user product as `/me` shows it: with its order, without what only customer service needs."""

    id: str
    order_id: str | None
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


class MyAddress(msgspec.Struct):
    """The address as `/me` shows it: without the country."""

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


class Me(msgspec.Struct):
    """Keys and order of the document "Get current account". `gender` is there only when something is known of it."""

    id: str
    email: str
    status: str
    verified: bool
    customer_number: str | None
    tulo_customer_number: str | None
    first_name: str | None
    last_name: str | None
    mobile_phone_number: str | None
    birth_date: str | None
    social_security_number: str | None
    social_security_number_century: str | None
    age: int | None
    gender: str | UnsetType
    company_registration_number: str | None
    alias: str | None
    account_origin: str | None
    address: MyAddress
    user_products: list[MyProduct]
    identity_mapping: list[ExternalId]
    accepted_marketing_permissions: list[MarketingPermission]


class MeResponse(msgspec.Struct):
    item: Me


_ANSWER = """
{
    "item": {
        "id": "585a4768edce2c5e6f000001",
        "email": "kalle.anka@example.com",
        "status": "created",
        "verified": false,
        "customer_number": "12345",
        "tulo_customer_number": "00001",
        "first_name": "Kalle",
        "last_name": "Anka",
        "mobile_phone_number": "50460531",
        "birth_date": "1980-06-10",
        "social_security_number": "800610-8230",
        "social_security_number_century": "198006108230",
        "age": 40,
        "gender": "M",
        "company_registration_number": null,
        "alias": "Kalle123",
        "account_origin": null,
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
            "drop_box": null
        },
        "user_products": [
            {
                "id": "585a4768edce2c5e6f000003",
                "order_id": "ORGANISATION-1",
                "created": "2016-12-21T10:12:08+01:00",
                "updated": "2016-12-21T10:12:08+01:00",
                "product_code": "package_code",
                "title_code": "TITLE_CODE",
                "valid_from": "2016-12-20T10:12:08+01:00",
                "valid_to": "2016-12-22T10:12:08+01:00",
                "provision_service": "tulo",
                "subscription_type": "recurring",
                "subscription_number": "12345",
                "state": "activated"
            }
        ],
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
        "accepted_marketing_permissions": [
            {
                "id": "5ba4a64509c04c5ab4000001",
                "type": "sms"
            }
        ]
    }
}
"""


def own(_: ParsedParameters, __: Services) -> TokenAccount:
    return TOKEN_ACCOUNT


@endpoint(
    "GET",
    "/external/api/v1/me",
    title="Get current account",
    source='document "Get account" (/me), release 3.9.1',
    scope=scopes.ME_WRITE,
    identity=True,
    subject=own,
    answer=MeResponse,
    refusals=(problems.ACCOUNT_NOT_FOUND,),
    example=Example(answer=_ANSWER),
    group="Me",
)
async def get_me(call: Call) -> Item:
    """Answers the account that the access token stands for, with its subscriptions."""
    account = call.account()
    if account is None:
        raise Refused(problems.ACCOUNT_NOT_FOUND)
    return Item(_shown(account, zone(call.caller.organisation.timezone), call.now))


def _shown(account: Account, local: Zone, now: int) -> Me:
    number = account.social_security_number
    born = account.effective_birth_date()
    return Me(
        account.id,
        account.email,
        account.status,
        account.verified,
        account.customer_number,
        account.tulo_customer_number,
        account.first_name,
        account.last_name,
        account.mobile_phone_number,
        born.isoformat() if born else None,
        number.ten if number else None,
        number.twelve if number else None,
        account.age(local.today(now)),
        (number.gender if number else None) or UNSET,
        account.company_registration_number,
        account.alias,
        account.account_origin,
        _address(account.address),
        [_product(p, local, now) for p in account.user_products],
        account.identity_mapping,
        account.accepted_marketing_permissions,
    )


def _address(address: Address) -> MyAddress:
    return MyAddress(
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
    )


def _product(product: UserProduct, local: Zone, now: int) -> MyProduct:
    return MyProduct(
        product.id,
        product.order_id,
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
    )
