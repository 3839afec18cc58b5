"""Customers: what of them matches, how imports merge their subscriptions, and how an account follows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stamkund.rules.account import Account, Address, ExternalId, UserProduct
from stamkund.rules.customer import (
    Customer,
    Subscription,
    account_of,
    follow_subscriptions,
    merge_subscriptions,
    user_product,
)
from stamkund.rules.ids import is_id
from stamkund.rules.person_number import PersonNumber

NOW = 1_000_000


def subscription(ident: str, **fields: Any) -> Subscription:
    return Subscription(**{"id": ident, "package_code": "paper", **fields})


def customer(**fields: Any) -> Customer:
    return Customer(**{"id": "c" * 24, "customer_number": "1", "created": 1, "updated": 1, **fields})


@pytest.mark.parametrize(
    ("own", "address", "requested", "matches"),
    [
        ("43921", None, "43921", True),
        ("439 21", None, "43921", True),
        (" sw1\t4\u00a0", None, "SW14", True),
        (None, "43921", "43921", True),
        ("11111", "43921", "43921", False),
        ("", "43921", "43921", True),
        (None, None, "43921", False),
        ("43921", None, "4392", False),
    ],
)
def test_zip_codes(own: str | None, address: str | None, requested: str, matches: bool) -> None:
    assert customer(zip_code=own, address=Address(zip_code=address)).lives_at(requested) is matches


def test_current_subscriptions_latest_end_first() -> None:
    ends = [NOW + 1, None, NOW, NOW + 9, NOW - 1, None]
    subscriptions = [subscription(str(n), valid_to=end) for n, end in enumerate(ends)]
    subscriptions.append(subscription("6", valid_to=NOW + 99, state="deactivated"))
    current = customer(subscriptions=subscriptions).current_subscriptions(NOW)
    assert [s.id for s in current] == ["1", "5", "3", "0"]


def test_a_merge_keeps_ids_and_deactivates_what_is_not_named_any_more() -> None:
    before = [
        subscription("a", subscription_number="1"),
        subscription("b", valid_from=5),
        subscription("c", subscription_number="3"),
    ]
    named = [
        subscription("x", subscription_number="1", package_code="other", state="cancelled"),
        subscription("y", valid_from=5, valid_to=9),
        subscription("z", valid_from=6),
    ]
    merged = merge_subscriptions(before, named)
    assert [(s.id, s.state) for s in merged] == [
        ("a", "cancelled"),
        ("b", "activated"),
        ("c", "deactivated"),
        ("z", "activated"),
    ]
    assert merged[0].package_code == "other" and merged[1].valid_to == 9


def test_one_stored_subscription_is_not_matched_twice() -> None:
    merged = merge_subscriptions([subscription("a")], [subscription("x"), subscription("y")])
    assert [s.id for s in merged] == ["a", "y"]


def test_merging_the_same_again_changes_nothing() -> None:
    before = [subscription("a", subscription_number="1"), subscription("b", valid_from=5), subscription("c")]
    assert merge_subscriptions(before, [msgspec.structs.replace(s, id="new" + s.id) for s in before]) == before


def test_the_account_of_a_customer() -> None:
    number = PersonNumber("800610-8230", "19")
    made = customer(
        first_name="Kalle",
        zip_code="43921",
        address=Address(city="Stockholm"),
        social_security_number=number,
        identity_mapping=[ExternalId("k", "v")],
        subscriptions=[subscription("a")],
        password_hash="never in an account",
    )
    account = account_of(made, "Kalle@example.com", NOW)
    assert is_id(account.id) and account.id != made.id
    assert (account.email, account.status, account.verified) == ("Kalle@example.com", "active", True)
    assert (account.created, account.updated, account.customer_number) == (NOW, NOW, "1")
    assert (account.address.city, account.address.zip_code, made.address.zip_code) == ("Stockholm", "43921", None)
    assert account.social_security_number == number and account.identity_mapping == [ExternalId("k", "v")]
    assert [p.id for p in account.user_products] == ["a"]
    assert b"never" not in msgspec.json.encode(msgspec.structs.replace(account, social_security_number=None))


@pytest.mark.parametrize("state", ["pending", "activated", "cancelled", "frozen", "deactivated"])
def test_a_user_product_has_the_state_of_its_subscription(state: str) -> None:
    """Also of one that has ended: the clock decides what its state is, see rules.subscription."""
    product = user_product(subscription("a", state=state, valid_to=NOW - 1, subscription_type="limited"), NOW)
    assert (product.state, product.valid_to, product.subscription_type) == (state, NOW - 1, "limited")


def account(*products: UserProduct) -> Account:
    made = Account(id="a", email="a@example.com", status="active", verified=True, created=1, updated=1)
    made.user_products = list(products)
    return made


def test_an_account_follows_its_customers_subscriptions() -> None:
    unrelated = user_product(subscription("elsewhere"), 1)
    same, changed, new = subscription("same"), subscription("changed"), subscription("new")
    followed = account(unrelated, user_product(same, 1), user_product(changed, 1))
    changed = msgspec.structs.replace(changed, valid_to=77)
    assert follow_subscriptions(followed, [changed, new, same], NOW)
    products = followed.user_products
    assert [p.id for p in products] == ["elsewhere", "same", "changed", "new"]
    assert [p.updated for p in products] == [1, 1, NOW, NOW]
    assert [p.created for p in products] == [1, 1, 1, NOW]
    assert (products[2].valid_to, followed.updated) == (77, NOW)


def test_following_the_same_again_changes_nothing() -> None:
    """Also when a subscription has ended meanwhile: nothing in the import is new."""
    listed = subscription("a", valid_to=NOW)
    followed = account(user_product(listed, 1))
    assert not follow_subscriptions(followed, [listed], NOW + 1)
    assert followed.updated == 1


def test_what_only_the_account_has_stays_when_it_follows() -> None:
    listed = subscription("a")
    product = msgspec.structs.replace(user_product(listed, 1), order_id="O-1", has_pending_change_request=True)
    followed = account(product)
    assert follow_subscriptions(followed, [msgspec.structs.replace(listed, valid_to=9)], NOW)
    assert (followed.user_products[0].order_id, followed.user_products[0].has_pending_change_request) == ("O-1", True)


def test_documents_with_personal_data_never_print() -> None:
    made = customer(first_name="Kalle", address=Address(street="The Streets"), identity_mapping=[ExternalId("k", "v")])
    for one in (made, account_of(made, "kalle@example.com", NOW), made.address, made.identity_mapping[0]):
        assert repr(one) == f"<{type(one).__name__}>"
