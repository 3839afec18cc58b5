"""Views for people who query the database."""

from __future__ import annotations

from stamkund.rules.person_number import PersonNumber
from tests.store.conftest import StoredOrganisation

NUMBER = PersonNumber("800610-8230", "19")


async def test_views_unfold_the_documents(paper: StoredOrganisation) -> None:
    """For people who query the database; none shows a social security number."""
    made = await paper.customer("1", first_name="Åsa", social_security_number=NUMBER)
    row, account_id = await paper.activate(made)
    await paper.customer("2", subscriptions=[])
    subscription = made.subscriptions[0]
    for view, columns, expected in (
        (
            "account_list",
            "row, id, email, first_name, customer_number",
            [(row, account_id, "a@example.com", "Åsa", "1")],
        ),
        (
            "user_product_list",
            "account, id, product_code, state",
            [(row, subscription.id, "package_code", "activated")],
        ),
        ("customer_list", "account, id, customer_number, zip_code", [(row, made.id, "1", "43921")]),
        ("subscription_list", "id, package_code, state", [(subscription.id, "package_code", "activated")]),
    ):
        rows_found = await paper.rows(f"SELECT {columns} FROM {view} WHERE organisation = $1", paper.id)
        assert set(expected) <= {tuple(r) for r in rows_found}, view
        everything = await paper.rows(f"SELECT * FROM {view} WHERE organisation = $1", paper.id)
        assert "800610" not in str([tuple(r) for r in everything])
