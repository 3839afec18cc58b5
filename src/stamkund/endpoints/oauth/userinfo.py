"""Userinfo: who the reader is, for OpenID Connect clients, as far as the token's scopes let them know."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import scopes
from stamkund.rules.account import Account
from stamkund.store import TOKEN_ACCOUNT, TokenAccount
from stamkund.wire.endpoint import Call, Example, endpoint
from stamkund.wire.parameters import ParsedParameters
from stamkund.wire.services import Services

_SOURCE = "OpenID Connect Core 1.0, section 5.3"
_GENDERS = {"M": "male", "F": "female"}


class UserInfo(msgspec.Struct):
    """The standard claims that we know. All but `sub` are there only where the scope is and there is a value."""

    sub: str
    name: str | UnsetType = UNSET
    given_name: str | UnsetType = UNSET
    family_name: str | UnsetType = UNSET
    birthdate: str | UnsetType = UNSET
    gender: str | UnsetType = UNSET
    updated_at: int | UnsetType = UNSET
    email: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET


_EXAMPLE = Example(
    answer="""
{
    "sub": "585a4768edce2c5e6f000001",
    "name": "Kalle Anka",
    "given_name": "Kalle",
    "family_name": "Anka",
    "birthdate": "1980-06-10",
    "gender": "male",
    "updated_at": 1482311528,
    "email": "kalle.anka@example.com",
    "email_verified": false
}
"""
)


def own(_: ParsedParameters, __: Services) -> TokenAccount:
    return TOKEN_ACCOUNT


@endpoint(
    "GET",
    "/userinfo",
    title="Get userinfo",
    source=_SOURCE,
    scope=scopes.OPENID,
    identity=True,
    subject=own,
    answer=UserInfo,
    refusals=(problems.INVALID_TOKEN,),
    example=_EXAMPLE,
    group="OpenID Connect",
)
async def get_userinfo(call: Call) -> UserInfo:
    """Answers the claims of the reader that the access token stands for.

    The scope `profile` (`/openid/profile`) brings names, birth date and gender; `email` (`/openid/email`) the e-mail.
    """
    return _claims(call)


@endpoint(
    "POST",
    "/userinfo",
    title="Post for userinfo",
    source=_SOURCE,
    scope=scopes.OPENID,
    identity=True,
    subject=own,
    answer=UserInfo,
    refusals=(problems.INVALID_TOKEN,),
    example=_EXAMPLE,
    group="OpenID Connect",
)
async def post_for_userinfo(call: Call) -> UserInfo:
    """As `GET`. The access token must come in the header here too: a body is not read."""
    return _claims(call)


def _claims(call: Call) -> UserInfo:
    account = call.account()
    if account is None:
        raise Refused(problems.INVALID_TOKEN)
    claims = UserInfo(account.id)
    if scopes.PROFILE in call.caller.scopes:
        _add_profile(claims, account)
    if scopes.EMAIL in call.caller.scopes:
        claims.email, claims.email_verified = account.email, account.verified
    return claims


def _add_profile(claims: UserInfo, account: Account) -> None:
    born, number = account.effective_birth_date(), account.social_security_number
    claims.name = " ".join(filter(None, (account.first_name, account.last_name))) or UNSET
    claims.given_name = account.first_name or UNSET
    claims.family_name = account.last_name or UNSET
    claims.birthdate = UNSET if born is None else born.isoformat()
    claims.gender = _GENDERS.get((number and number.gender) or "", UNSET)
    claims.updated_at = account.updated
