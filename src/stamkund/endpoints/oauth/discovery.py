"""Where OpenID Connect and OAuth clients find everything else: one document, under both of its well-known names."""

from __future__ import annotations

import msgspec

from stamkund.endpoints.oauth.grants import GRANTS
from stamkund.rules import scopes
from stamkund.rules.key_schedule import ALGORITHMS
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import endpoint

_CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"),
    *("name", "given_name", "family_name", "preferred_username", "birthdate", "gender", "updated_at"),
    *("email", "email_verified"),
)
_SECRET = ["client_secret_basic", "client_secret_post"]


class Metadata(msgspec.Struct):
    """What OpenID Connect Discovery 1.0 and RFC 8414 name, the subset that we support."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    end_session_endpoint: str
    service_documentation: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    claim_types_supported: list[str]
    claims_supported: list[str]
    claims_parameter_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    prompt_values_supported: list[str]
    ui_locales_supported: list[str]


def metadata(issuer: str, pages: str) -> Metadata:
    """`issuer`: where clients reach us; `pages`: where browsers do."""
    return Metadata(
        issuer=issuer,
        authorization_endpoint=f"{pages}/oauth2/auth",
        token_endpoint=f"{issuer}/api/authorization/access_token",
        userinfo_endpoint=f"{issuer}/userinfo",
        jwks_uri=f"{issuer}/oauth2/jwks",
        revocation_endpoint=f"{issuer}/oauth2/revoke",
        introspection_endpoint=f"{issuer}/oauth2/introspect",
        end_session_endpoint=f"{pages}/oauth2/logout",
        service_documentation=f"{issuer}/docs",
        scopes_supported=[*scopes.STANDARD, *scopes.ALL],
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANTS),
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=list(ALGORITHMS),
        token_endpoint_auth_methods_supported=[*_SECRET, "none"],
        revocation_endpoint_auth_methods_supported=[*_SECRET, "none"],
        introspection_endpoint_auth_methods_supported=_SECRET,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
        claim_types_supported=["normal"],
        claims_supported=list(_CLAIMS),
        claims_parameter_supported=False,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        prompt_values_supported=["none", "login", "select_account"],
        ui_locales_supported=["sv", "en"],
    )


@endpoint(
    "GET",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    public=True,
    personal=False,
    max_age=300,
    about=About(
        title="OpenID Connect discovery",
        group="OpenID Connect",
        source="OpenID Connect Discovery 1.0; RFC 8414",
        response=Metadata,
        example=Example(response="discovery"),
    ),
)
async def discover(call: Call) -> Metadata:
    """Returns where everything is and what is supported: OpenID Connect and OAuth libraries configure themselves by it.

    `none` and `ticket` among the grant types are the API's own, as is every scope with a slash. `openid`, `profile`,
    `email` and `offline_access` are other names of `/openid`, `/openid/profile`, `/openid/email` and
    `/openid/offline_access`.
    """
    settings = call.services.settings
    return metadata(settings.issuer, settings.pages_url)
