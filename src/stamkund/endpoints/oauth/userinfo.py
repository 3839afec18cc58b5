"""Userinfo: who the reader is, for OpenID Connect clients, as the token's scopes allow."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.rules import scopes
from stamkund.rules.account import Account
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Endpoint, Handler, Loads, endpoint, token_account

_GENDERS = {"M": "male", "F": "female"}


class UserInfo(msgspec.Struct):
    """The standard claims that we know. All but `sub` are there only with the scope, and where there is a value."""

    sub: str
    name: str | UnsetType = UNSET
    given_name: str | UnsetType = UNSET
    family_name: str | UnsetType = UNSET
    preferred_username: str | UnsetType = UNSET
    birthdate: str | UnsetType = UNSET
    gender: str | UnsetType = UNSET
    updated_at: int | UnsetType = UNSET
    email: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET


def _userinfo(method: str, title: str) -> Callable[[Handler], Endpoint]:
    return endpoint(
        method,
        "/userinfo",
        scope=scopes.OPENID,
        identity=True,
        loads=Loads(account=token_account, missing=problems.INVALID_TOKEN),
        about=About(
            title=title,
            group="OpenID Connect",
            source="OpenID Connect Core 1.0, section 5.3",
            response=UserInfo,
            example=Example(response="userinfo"),
        ),
    )


@_userinfo("GET", "Get userinfo")
async def get_userinfo(call: Call, account: Account) -> UserInfo:
    """Returns the claims of the reader that the access token stands for.

    The scope `profile` (`/openid/profile`) brings names, birth date and gender; `email` (`/openid/email`) the e-mail.
    `preferred_username`, which comes with `profile`, is the account's id: it never changes or passes to another reader.
    """
    return _claims(call, account)


@_userinfo("POST", "Post for userinfo")
async def post_for_userinfo(call: Call, account: Account) -> UserInfo:
    """As `GET`. The access token must be in the header here too: a body is not read."""
    return _claims(call, account)


def _claims(call: Call, account: Account) -> UserInfo:
    claims = UserInfo(account.id)
    if scopes.PROFILE in call.caller.scopes:
        _add_profile(claims, account)
    if scopes.EMAIL in call.caller.scopes:
        claims.email, claims.email_verified = account.email, account.verified
    return claims


def _add_profile(claims: UserInfo, account: Account) -> None:
    birth_date, number = account.effective_birth_date(), account.social_security_number
    claims.name = " ".join(filter(None, (account.first_name, account.last_name))) or UNSET
    claims.given_name = account.first_name or UNSET
    claims.family_name = account.last_name or UNSET
    claims.preferred_username = account.id
    claims.birthdate = UNSET if birth_date is None else birth_date.isoformat()
    claims.gender = _GENDERS.get((number and number.gender) or "", UNSET)
    claims.updated_at = account.updated
