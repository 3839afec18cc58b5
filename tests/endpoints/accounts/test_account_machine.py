"""Accounts as a state machine: whatever clients do in whatever order, keys mean what a plain model says they mean.

Hypothesis makes up the orders: few of them, so that the suite stays quick (`STAMKUND_TEST_EXAMPLES=500` tries more).
There are few e-mails, aliases and numbers too, so that they collide.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from stamkund.rules.account import ACTIVE, INACTIVE
from tests.support.accounts import ACCOUNTS, ACCOUNTS_2, PASSWORD
from tests.support.service import NOW, Publisher, RunningService

T = TypeVar("T")

EXAMPLES, STEPS = int(os.environ.get("STAMKUND_TEST_EXAMPLES", "6")), 15
EMAILS = ["a@example.com", "A@Example.com", "b@example.com", "c@example.com"]
ALIASES, EXTERNAL = ["x", "y"], ["1", "2"]
NUMBERS = ["800610-8230", "910820-5205", "620817-9256"]
UNSET = "__UNSET__"
PLACE = st.integers(0, 1_000)


@dataclass
class ModelAccount:
    """What the account with an id has, and who may log in to it."""

    keys: dict[str, str] = field(default_factory=dict)
    status: str = ACTIVE
    login_disabled: bool = False

    @property
    def usable(self) -> bool:
        return self.status == ACTIVE and not self.login_disabled


class AccountMachine(RuleBasedStateMachine):
    """One organisation, by HTTP and by the store, beside the model of it."""

    service: RunningService
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.publisher: Publisher = self._wait(self.service.publisher())
        self.http = httpx.Client(base_url=self.service.url, headers=self._wait(self.publisher.headers()), timeout=60)
        self.accounts: dict[str, ModelAccount] = {}
        self.candidates: dict[str, tuple[str, str | None]] = {}
        self.customer_numbers = itertools.count(1)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def _owner(self, kind: str, value: str) -> str | None:
        value = value.lower() if kind == "email" else value
        return next((id_ for id_, one in self.accounts.items() if one.keys.get(kind) == value), None)

    def _conflict(self, keys: dict[str, str], own_id: str | None = None) -> str | None:
        """The first of the keys that another account has, in the documents' order."""
        return next((kind for kind, value in keys.items() if self._owner(kind, value) not in (None, own_id)), None)

    def _model(self, keys: dict[str, str]) -> dict[str, str]:
        return {kind: value.lower() if kind == "email" else value for kind, value in keys.items()}

    # What happens ------------------------------------------------------------------------------------------

    @rule(
        email=st.sampled_from(EMAILS),
        alias=st.none() | st.sampled_from(ALIASES),
        number=st.none() | st.sampled_from(NUMBERS),
        external=st.none() | st.sampled_from(EXTERNAL),
        first_version=st.booleans(),
    )
    def create(
        self, email: str, alias: str | None, number: str | None, external: str | None, first_version: bool
    ) -> None:
        sent = {"email": email, "alias": alias, "social_security_number": number, "external_ids": external}
        if first_version:
            del sent["alias"]
        keys = {kind: value for kind, value in sent.items() if value is not None}
        body: dict[str, Any] = {**keys, "password": PASSWORD}
        if external is not None:
            body["external_ids"] = {"crm": external}
        response = self.http.post(ACCOUNTS if first_version else ACCOUNTS_2, json=body)
        conflict = self._conflict(keys)
        assert response.status_code == (201 if conflict is None else 409), response.text
        if conflict is not None:
            assert response.json()["field"] == conflict
            return
        self.accounts[response.json()["id"]] = ModelAccount(self._model(keys))

    @rule(number=st.none() | st.sampled_from(NUMBERS))
    def import_customer(self, number: str | None) -> None:
        if number is not None and any(number == other for _, other in self.candidates.values()):
            return  # a number is one customer's alone
        customer_number = str(next(self.customer_numbers))
        made = self._wait(self.publisher.customer(customer_number, social_security_number=number))
        self.candidates[made.id] = customer_number, number

    @precondition(lambda self: self.candidates)
    @rule(place=PLACE, email=st.sampled_from(EMAILS))
    def activate(self, place: int, email: str) -> None:
        candidate = list(self.candidates)[place % len(self.candidates)]
        customer_number, number = self.candidates[candidate]
        keys = {"customer_number": customer_number, "social_security_number": number, "email": email}
        named = {kind: value for kind, value in keys.items() if value is not None}
        body = {"account_candidate_id": candidate, "email": email, "password": PASSWORD}
        response = self.http.post("/external/api/v1/account/activate_candidate", json=body)
        conflict = self._conflict(named)
        assert response.status_code == (201 if conflict is None else 409), response.text
        if conflict is not None:
            assert response.json()["field"] == ("email" if conflict == "email" else "customer_number/ssn")
            return
        self.accounts[response.json()["id"]] = ModelAccount(self._model(named))

    @precondition(lambda self: self.accounts)
    @rule(
        place=PLACE,
        email=st.none() | st.sampled_from(EMAILS),
        alias=st.none() | st.sampled_from([*ALIASES, UNSET]),
        number=st.none() | st.sampled_from(NUMBERS),
        atomic=st.booleans(),
    )
    def update(self, place: int, email: str | None, alias: str | None, number: str | None, atomic: bool) -> None:
        account_id = list(self.accounts)[place % len(self.accounts)]
        sent = {"email": email, "alias": alias, "social_security_number": number}
        sent = {kind: value for kind, value in sent.items() if value is not None}
        new_keys = {kind: value for kind, value in sent.items() if value is not None and value != UNSET}
        in_use = [kind for kind in new_keys if self._conflict({kind: new_keys[kind]}, account_id)]
        response = self.http.put(ACCOUNTS_2, json={"id": account_id, "atomic": atomic, **sent})
        if atomic and in_use:
            assert (response.status_code, response.json()["field"]) == (409, in_use[0]), response.text
            return
        assert response.status_code == 200, response.text
        assert [error["field"] for error in response.json().get("errors", [])] == in_use
        keys = self.accounts[account_id].keys
        keys.update(self._model({kind: value for kind, value in new_keys.items() if kind not in in_use}))
        if alias == UNSET:
            keys.pop("alias", None)

    @precondition(lambda self: self.accounts)
    @rule(place=PLACE, status=st.sampled_from([ACTIVE, INACTIVE]))
    def set_status(self, place: int, status: str) -> None:
        account_id = list(self.accounts)[place % len(self.accounts)]
        accounts = self.service.store.accounts
        before = self._wait(accounts.set_status(self.publisher.id, account_id, status, "operator", NOW))
        assert before == self.accounts[account_id].status
        self.accounts[account_id].status = status

    @precondition(lambda self: self.accounts)
    @rule(place=PLACE, disabled=st.booleans())
    def set_login(self, place: int, disabled: bool) -> None:
        account_id = list(self.accounts)[place % len(self.accounts)]
        accounts = self.service.store.accounts
        before = self._wait(accounts.set_login(self.publisher.id, account_id, "operator", NOW, disabled=disabled))
        assert before == self.accounts[account_id].login_disabled
        self.accounts[account_id].login_disabled = disabled

    # What must hold at the end -----------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self._check_keys()
            self._check_logins()
        finally:
            self.http.close()

    def _check_keys(self) -> None:
        """Every key means the account that the model says, or none; every account shows its keys."""
        emails = dict.fromkeys(email.lower() for email in EMAILS)
        queries = [{"email": email} for email in emails] + [{"alias": alias} for alias in ALIASES]
        queries += [{"social_security_number": number} for number in NUMBERS]
        for query in queries:
            ((kind, value),) = query.items()
            response = self.http.get(ACCOUNTS, params=query)
            owner = response.json()["item"]["id"] if response.status_code == 200 else None
            assert owner == self._owner(kind, value), query
        for value in EXTERNAL:
            response = self.http.get(ACCOUNTS, params={"external_id_key": "crm", "external_id_value": value})
            owner = response.json()["item"]["id"] if response.status_code == 200 else None
            assert owner == self._owner("external_ids", value)
        for account_id, one in self.accounts.items():
            account = self.http.get(ACCOUNTS, params={"id": account_id}).json()["item"]
            assert account["email"].lower() == one.keys["email"] and account["status"] == one.status
            for kind in ("alias", "social_security_number", "customer_number"):
                assert account[kind] == one.keys.get(kind)

    def _check_logins(self) -> None:
        for one in self.accounts.values():
            response = self._wait(self.publisher.grant("password", username=one.keys["email"], password=PASSWORD))
            assert (response.status_code == 200) == one.usable


@pytest.mark.both_engines
async def test_keys_and_logins_are_those_of_the_model(service: RunningService) -> None:
    class Machine(AccountMachine):
        pass

    Machine.service, Machine.loop = service, asyncio.get_running_loop()
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    await asyncio.to_thread(
        run_state_machine_as_test,
        Machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks
        ),
    )
