"""Tokens both ways: the same as a library's, and nothing that a library's attackers know of."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from stamkund.endpoints.sso2 import jwt as tokens
from stamkund.endpoints.sso2.session_token import SessionToken
from stamkund.rules.ids import new_id
from stamkund.rules.organisation import new_secret
from stamkund.rules.values import MAX_SSO_TOKEN_LENGTH
from tests.support.connector import encoded, php_json, signed

SECRET, OTHER = new_secret(), new_secret()
CLAIMS: dict[str, Any] = {"cid": new_id(0), "iss": "demo", "aud": "pw-sso", "nbf": 1, "exp": 61, "iat": 1, "sid": "s"}


def made(header: Any, claims: Any = CLAIMS, secret: str = SECRET, digest: str = "sha256") -> str:
    """A token of any kind, rightly signed with HMAC."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    text = ".".join(map(encoded, parts))
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), digest))}"


def accepted(token: str, *secrets: str) -> bool:
    try:
        return tokens.parse(token).verifying_secret(secrets or (SECRET,)) is not None
    except tokens.InvalidToken:
        return False


# As a library has them ---------------------------------------------------------------------------------------


def test_a_librarys_token_is_read() -> None:
    claims = {**CLAIMS, "usr": "åsa@example.com", "pwd": "lösen\u0000ord😀", "lks": "anon", "more": [{"a": None}]}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
    read = tokens.parse(token)
    assert read.verifying_secret([SECRET]) == SECRET
    assert (read.claims.usr, read.claims.pwd, read.claims.lks) == (claims["usr"], claims["pwd"], "anon")


def test_a_library_reads_ours() -> None:
    claims = SessionToken("sid", "loggedin", "ticket", None, "pw-sso", "client", 1, 1, 61)
    token = jwt.decode(tokens.sign(claims, SECRET), OctKey.import_key(SECRET), algorithms=["HS256"])
    assert token.header == {"alg": "HS256", "typ": "JWT"}
    assert list(token.claims) == ["sid", "sts", "at", "err", "iss", "aud", "iat", "nbf", "exp"]
    assert token.claims["err"] is None


def test_phps_token_is_read() -> None:
    read = tokens.parse(signed({**CLAIMS, "uas": "Mozilla/5.0 å", "aud": "pw-sso"}, SECRET))
    assert read.verifying_secret([SECRET]) == SECRET and read.claims.uas == "Mozilla/5.0 å"


def test_any_of_several_secrets_proves_a_token() -> None:
    read = tokens.parse(made({"alg": "HS256"}))
    assert read.verifying_secret([OTHER, SECRET]) == read.verifying_secret([SECRET, OTHER]) == SECRET
    assert read.verifying_secret([OTHER]) is None and read.verifying_secret([]) is None


# Headers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT"},
        {"typ": "jwt", "alg": "HS256"},
        {"alg": "HS256", "typ": None},
        {"alg": "HS256", "kid": "../../dev/null"},
        {"alg": "HS256", "jku": "https://evil.example/keys", "x5u": "https://evil.example/cert"},
        {"alg": "HS256", "jwk": {"kty": "oct", "k": encoded(b"mine")}},
        b' { "alg" : "HS256" } ',
        b'{"alg":"none","alg":"HS256"}',
    ],
    ids=str,
)
def test_headers_that_are_fine_and_keys_that_they_bring_are_not_looked_at(header: Any) -> None:
    assert accepted(made(header))
    assert not accepted(made(header, secret="mine"))


WRONG_HEADERS = [
    *({"alg": alg} for alg in ("none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS384", "HS512", "RS256")),
    *({"alg": alg} for alg in ("ES256", "PS256", "EdDSA", "dir", "HS1", "HS256\u0000", None, 256, True, ["HS256"])),
    {},
    {"typ": "JWT"},
    {"ALG": "HS256"},
    {"alg": "HS256", "typ": "at+jwt"},
    {"alg": "HS256", "typ": "JWE"},
    {"alg": "HS256", "typ": 1},
    {"alg": "HS256", "crit": []},
    {"alg": "HS256", "crit": None},
    {"alg": "HS256", "crit": ["b64"], "b64": False},
    {"alg": "HS256", "kid": "x" * 2000},
    *([{"alg": "HS256"}], "HS256", None, 1),
    *(b"", b"{", b'{"alg":"HS256"', b'{"alg":"HS256"}x', b'\xff{"alg":"HS256"}', b"\xef\xbb\xbf{}"),
    b'{"alg":"HS256","x":' + b"[" * 400 + b"]" * 400 + b"x}",
]


@pytest.mark.parametrize("header", WRONG_HEADERS, ids=lambda h: str(h)[:50])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_no_other_header_is_believed_however_it_is_signed(header: Any, digest: str) -> None:
    assert not accepted(made(header, digest=digest))
    assert not accepted(made(header, secret="", digest=digest), "")


@pytest.mark.parametrize("alg", ["none", "None", "HS256"])
def test_a_token_without_signature_proves_nothing(alg: str) -> None:
    text = made({"alg": alg}).rpartition(".")[0]
    assert not accepted(f"{text}.") and not accepted(text)
    assert not accepted(f"{text}.{encoded(b'')}") and not accepted(f"{text}.AA")


@pytest.mark.parametrize("digest", ["sha384", "sha512", "sha1", "md5"])
def test_another_digest_proves_nothing(digest: str) -> None:
    assert not accepted(made({"alg": "HS256"}, digest=digest))


def test_a_public_key_is_no_secret() -> None:
    """What RS256 is verified with is public; here nothing but the client's secret is a key."""
    public = "-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----\n"
    assert not accepted(made({"alg": "HS256"}, secret=public)) and not accepted(made({"alg": "RS256"}, secret=public))


# Form --------------------------------------------------------------------------------------------------------


def test_every_change_of_a_character_is_seen() -> None:
    token = made({"alg": "HS256"})
    for place in range(len(token)):
        for other in "Aa0-_.=+/ \n%":
            if other != token[place]:
                assert not accepted(token[:place] + other + token[place + 1 :]), (place, other)
        assert not accepted(token[:place] + token[place + 1 :])


def test_a_signature_has_one_form() -> None:
    """The last character has two bits that mean nothing: with them a library would take three other tokens too."""
    token = made({"alg": "HS256"})
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [c for c in alphabet if accepted(token[:-1] + c)] == [token[-1]]


def test_forms_that_some_libraries_forgive() -> None:
    token = made({"alg": "HS256"})
    header, payload, signature = token.split(".")
    standard = signature.translate(str.maketrans("-_", "+/"))
    forms = [
        *(f"{token}=", f"{token}==", f" {token}", f"{token} ", f"{token}\n", f"\t{token}", f"{token}\x00", f"{token}."),
        *(f".{token}", f"{token}.{signature}", f"{header}.{payload}", f"{header}..{signature}", f"..{signature}", ".."),
        *("", ".", header, f"{header}.{payload}\n.{signature}", f"{header}. {payload}.{signature}"),
        *(f"{header}=.{payload}.{signature}", f"{header}.{payload}=.{signature}", f"{header}.{payload}..{signature}"),
        *(
            f"Bearer {token}",
            f'"{token}"',
            token.upper(),
            token.lower(),
            f"{token}å",
            f"{header}.{payload}.{signature}å",
        ),
        f"{header}.\u0661{payload}.{signature}",
        *([f"{header}.{payload}.{standard}"] if standard != signature else []),
        base64.b64encode(token.encode()).decode(),
        json.dumps({"protected": header, "payload": payload, "signature": signature}),
    ]
    assert accepted(token)
    assert [form for form in forms if accepted(form)] == []


def test_padding_and_blanks_are_refused_even_where_they_are_signed() -> None:
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "HS256"}, CLAIMS))
    bare = head.rstrip("="), body.rstrip("=")
    for one, other in (
        (head + ("" if head.endswith("=") else "="), bare[1]),
        (bare[0], bare[1] + "="),
        (f"{bare[0]}\n", bare[1]),
        (bare[0], f" {bare[1]}"),
        (bare[0], bare[1] + "A"),
        (bare[0], f"{bare[1]}!"),
    ):
        text = f"{one}.{other}"
        token = f"{text}.{encoded(hmac.digest(SECRET.encode(), text.encode(), 'sha256'))}"
        assert not accepted(token), (one, other)


def test_sizes_are_bounded() -> None:
    longest = made({"alg": "HS256"}, {**CLAIMS, "uas": "x" * 44_000})
    assert len(longest) < MAX_SSO_TOKEN_LENGTH and accepted(longest)
    assert not accepted(made({"alg": "HS256"}, {**CLAIMS, "uas": "x" * 46_000}))
    assert not accepted("a" * 1_000_000) and not accepted("." * 1_000_000)
    assert not accepted(made({"alg": "HS256"}, b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"))


# Claims ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cid", "iss", "aud", "nbf", "exp"])
def test_claims_that_must_be_there(name: str) -> None:
    assert not accepted(made({"alg": "HS256"}, {n: v for n, v in CLAIMS.items() if n != name}))
    assert not accepted(made({"alg": "HS256"}, {**CLAIMS, name: None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(("nbf", "exp", "iat"), ("1", True, [1], {}, "")),
        *itertools.product(("cid", "iss", "sid", "usr", "pwd", "at"), (1, True, ["x"], {})),
        ("aud", 1),
        ("aud", [1]),
        ("aud", {"pw-sso": 1}),
    ],
)
def test_claims_of_a_wrong_type(name: str, value: Any) -> None:
    assert not accepted(made({"alg": "HS256"}, {**CLAIMS, name: value}))


@pytest.mark.parametrize("value", [None, "", 1, False, [], {"a": 1}])
def test_what_describes_the_visitor_may_be_anything(value: Any) -> None:
    assert accepted(made({"alg": "HS256"}, {**CLAIMS, "lks": value, "ipa": value, "uas": value, "apn": value}))


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"null", b'"x"', b"1", b"{", b"\xff", b'{"exp": NaN}'])
def test_payloads_without_claims(payload: bytes) -> None:
    assert not accepted(made({"alg": "HS256"}, payload))


def test_numbers_beyond_all_reason() -> None:
    body = php_json(CLAIMS).replace('"exp":61', '"exp":1e999').encode()
    assert not accepted(made({"alg": "HS256"}, body))
    for number in (b"9" * 300, b"-1", b"61.5", b"1e15"):
        assert accepted(made({"alg": "HS256"}, php_json(CLAIMS).encode().replace(b'"exp":61', b'"exp":' + number)))


def test_claims_print_as_nothing() -> None:
    assert "hemligt" not in repr(tokens.parse(made({"alg": "HS256"}, {**CLAIMS, "pwd": "hemligt"})).claims)
