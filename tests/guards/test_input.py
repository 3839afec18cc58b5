"""Parameters at their edges: sizes, patterns and sentences of the documents, and whatever else may be sent."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any
from urllib.parse import quote, quote_from_bytes

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamkund.endpoints.accounts import activate_candidate, get_account, get_candidate, update_account
from stamkund.rules.account import Address, ExternalId
from stamkund.rules.ids import new_id
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.parameters import Parameter
from tests.support import raw
from tests.support.calls import (
    REQUEST_ID,
    Callers,
    assert_refused,
    callers_of,
    error_body,
    example_body,
    send,
    send_json,
)
from tests.support.service import NOW, Publisher, RunningService

CANDIDATE = get_candidate.get_candidate
ACTIVATE = activate_candidate.activate_candidate
ACCOUNTS = get_account.get_account
UPDATE = update_account.update_account_2

ID_FORMAT = r"Parameter must match format (/^[a-f\d]{24}$/)"
EMAIL_FORMAT = r"Parameter must match format (/\A[\w+\-.]+@[a-z\d\-]+(\.[a-z]+)*\.[a-z]+\z/i)"
NUMBER_FORMAT = "Parameter must match format (/^[0-9]{6}-[0-9]{4}$/)"
CODE_FORMAT = "Parameter must match format (/^[a-zA-Z-_0-9]+$/)"
MOBILE_FORMAT = "Parameter must match format (/^[+,0]?[0-9]{10,12}$/)"
COMPANY_FORMAT = "Parameter must match format (dddddd-dddd)"
DATE_FORMAT = "Parameter must match format (YYYY-MM-DD)"
CONTROL = "Parameter must not contain control characters"
FUTURE = "Parameter must not be in the future"
REAL_DATE = "Parameter must be a real date"
PERMISSIONS = "Parameter must hold ids of active marketing permissions"
REQUIRED = "Parameter is required"
NOT_UTF8 = "Parameter must be percent-encoded UTF-8"


def at_most(size: int) -> str:
    return f"Parameter must be at most {size} characters"


def at_least(size: int) -> str:
    return f"Parameter must be at least {size} characters"


LONG_EMAIL = "a" * 1013 + "@example.se"  # 1024 characters

IDS = [
    ("585a4768edce2c5e6f000003", None),
    ("585A4768EDCE2C5E6F000003", None),
    ("", ID_FORMAT),
    ("585a4768edce2c5e6f00000", ID_FORMAT),
    ("585a4768edce2c5e6f00000g", ID_FORMAT),
    ("585a4768edce2c5e6f00000\n", ID_FORMAT),
    ("５85a4768edce2c5e6f000003", ID_FORMAT),
    ("585a4768edce2c5e6f0000030", at_most(24)),
    ("g" * 25, at_most(24)),
]
EMAILS = [
    ("a@b.c", None),
    ("A+b-c.d_e@EXAMPLE.Se", None),
    ("a@3m.com", None),
    ("a@mail.3m.com", None),
    ("a@mail.my-paper.co.uk", None),
    ("-.+@-.a", None),
    (LONG_EMAIL, None),
    ("a" + LONG_EMAIL, at_most(1024)),
    ("@" * 1025, at_most(1024)),
    ("", EMAIL_FORMAT),
    ("a", EMAIL_FORMAT),
    ("a@b", EMAIL_FORMAT),
    ("@b.se", EMAIL_FORMAT),
    ("a@.se", EMAIL_FORMAT),
    ("a@b.", EMAIL_FORMAT),
    ("a@b..se", EMAIL_FORMAT),
    ("a@b.se.", EMAIL_FORMAT),
    ("a@b.s3", EMAIL_FORMAT),
    ("a@b.x-y", EMAIL_FORMAT),
    ("a@b@c.se", EMAIL_FORMAT),
    ("a@b_c.se", EMAIL_FORMAT),
    ("a@b.se\n", None),
    ("\t\u200b a@b.se\xa0\ufeff", None),
    (" " * 1020 + "a@b.se", at_most(1024)),
    ("a\xa0b@c.se", EMAIL_FORMAT),
    ("a\u200b@c.se", EMAIL_FORMAT),
    ("å@b.se", EMAIL_FORMAT),
    ("a@å.se", EMAIL_FORMAT),
    ("a@b.ſe", EMAIL_FORMAT),
    ("a@b.se\x00", EMAIL_FORMAT),
    ("<a@b.se>", EMAIL_FORMAT),
]
NUMBERS = [
    ("620817-9256", None),
    ("123499-0000", None),
    ("", NUMBER_FORMAT),
    ("6208179256", NUMBER_FORMAT),
    ("620817+9256", NUMBER_FORMAT),
    ("196208179256", NUMBER_FORMAT),
    ("19620817-9256", NUMBER_FORMAT),
    ("620817-92566", NUMBER_FORMAT),
    ("620817-9256\n", NUMBER_FORMAT),
    ("٦20817-9256", NUMBER_FORMAT),
    ("x" * 2000, NUMBER_FORMAT),
]
CUSTOMER_NUMBERS = [
    ("a", None),
    ("-_aZ09", None),
    ("1234567890", None),
    ("12345678901", at_most(10)),
    ("å" * 11, at_most(10)),
    ("", CODE_FORMAT),
    ("1 2", CODE_FORMAT),
    ("1.2", CODE_FORMAT),
    ("å", CODE_FORMAT),
    ("١", CODE_FORMAT),
    ("1\n", CODE_FORMAT),
    ("'--", CODE_FORMAT),
]
ZIP_CODES = [
    ("43921", None),
    ("a-_Z0", None),
    ("1", None),
    ("439211", at_most(5)),
    ("439 21", at_most(5)),
    ("43 21", CODE_FORMAT),
    ("", CODE_FORMAT),
]
EXTERNAL = [
    ("x", None),
    ("å" * 128, None),
    (" ", None),
    ("", at_least(1)),
    ("x" * 129, at_most(128)),
    ("a\x00b", CONTROL),
    ("a\nb", CONTROL),
]


def texts(longest: int) -> list[tuple[str, str | None]]:
    return [
        ("", None),
        ("😀" * longest, None),
        ("x" * (longest + 1), at_most(longest)),
        ("\n" * (longest + 1), at_most(longest)),
        ("a\x00", CONTROL),
        ("\x1b[2J", CONTROL),
        ("\x7f", CONTROL),
        ("\x85", CONTROL),
        ("a\tb", CONTROL),
    ]


QUERY_EDGES: list[tuple[Endpoint, Parameter[Any], list[tuple[str, str | None]]]] = [
    (CANDIDATE, get_candidate.PERSON_NUMBER, NUMBERS),
    (CANDIDATE, get_candidate.CUSTOMER_NUMBER, CUSTOMER_NUMBERS),
    (CANDIDATE, get_candidate.ZIP_CODE, ZIP_CODES),
    (ACCOUNTS, get_account.ID, IDS),
    (ACCOUNTS, get_account.EMAIL, [*EMAILS, ("a b@c.se", None), (" a  b@c.se ", None)]),
    (ACCOUNTS, get_account.PERSON_NUMBER, NUMBERS),
    (ACCOUNTS, get_account.CUSTOMER_NUMBER, CUSTOMER_NUMBERS),
    (ACCOUNTS, get_account.EXTERNAL_KEY, EXTERNAL),
    (ACCOUNTS, get_account.EXTERNAL_VALUE, EXTERNAL),
    (ACCOUNTS, get_account.ALIAS, texts(1024)),
    (
        ACCOUNTS,
        get_account.TULO_NUMBER,
        [("99999", None), ("0" * 50, None), ("0" * 51, at_most(50)), ("", CODE_FORMAT)],
    ),
]
BODY_EDGES: dict[str, list[tuple[str, str | None]]] = {
    "account_candidate_id": IDS,
    "email": [*EMAILS, ("a b@c.se", EMAIL_FORMAT), ("a\ud800@b.se", EMAIL_FORMAT)],
    "password": [
        ("123456", None),
        ("\x00\n\x7f\u0301 😀", None),
        ("å" * 1024, None),
        ("12345", at_least(6)),
        ("", at_least(6)),
        ("å" * 1025, at_most(1024)),
        ("\ud80012345", "Parameter must be Unicode text"),
    ],
    "first_name": [*texts(1024), ("\udfff", CONTROL)],
    "last_name": texts(1024),
    "mobile_phone_number": [
        ("0701234567", None),
        ("+46701234567", None),
        (",4670123456", None),
        ("467012345678", None),
        ("070123456", at_least(10)),
        ("", at_least(10)),
        ("0701234567890", at_most(12)),
        ("x" * 13, at_most(12)),
        ("070-1234567", MOBILE_FORMAT),
        ("+070123456", MOBILE_FORMAT),
        ("++4670123456", MOBILE_FORMAT),
        ("070123456\n", MOBILE_FORMAT),
        ("٠701234567", MOBILE_FORMAT),
    ],
    "social_security_number": NUMBERS,
    "company_registration_number": [
        ("556468-3984", None),
        ("", COMPANY_FORMAT),
        ("5564683984", COMPANY_FORMAT),
        ("1234567-8", COMPANY_FORMAT),
        ("556468-3984\n", COMPANY_FORMAT),
    ],
    "account_origin": texts(1024),
    "customer_number": CUSTOMER_NUMBERS,
    "birth_date": [
        ("1999-05-14", None),
        ("2026-01-15", None),
        ("2000-02-29", None),
        ("0001-01-01", None),
        ("2026-01-16", FUTURE),
        ("9999-12-31", FUTURE),
        ("1900-02-29", REAL_DATE),
        ("1999-00-01", REAL_DATE),
        ("0000-01-01", REAL_DATE),
        ("1999-5-14", at_least(10)),
        ("", at_least(10)),
        ("1999-05-144", at_most(10)),
        ("1999/05/14", DATE_FORMAT),
        ("19990514--", DATE_FORMAT),
        ("1999-W20-5", DATE_FORMAT),
        ("١999-05-14", DATE_FORMAT),
    ],
    "alias": texts(50),
    "marketing_permissions": [
        ("", None),
        (" ", None),
        ("585a4768edce2c5e6f000003", PERMISSIONS),
        (",", PERMISSIONS),
        ("x" * 1024, PERMISSIONS),
        ("," * 1025, at_most(1024)),
    ],
}


@pytest.fixture(scope="module")
async def callers(service: RunningService) -> Callers:
    """One publisher for the whole file: nothing here changes anything."""
    return await callers_of(await service.publisher())


def query_of(**values: str) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


# The documents' edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "parameter", "edges"), QUERY_EDGES, ids=[f"{e.paths[0]}?{p.name}" for e, p, _ in QUERY_EDGES]
)
async def test_query_parameters_at_their_edges(
    service: RunningService,
    callers: Callers,
    endpoint: Endpoint,
    parameter: Parameter[Any],
    edges: list[tuple[str, str | None]],
) -> None:
    for value, sentence in edges:
        query = query_of(**{**_companions(parameter), parameter.name: value})
        response = await send(service, endpoint, callers.anybody, query=query)
        if sentence is None:
            assert_refused(response, 404, "not_found")
        else:
            refusal = assert_refused(response, 400, "invalid_parameter", parameter.name)
            assert refusal["message"] == sentence, value


def _companions(parameter: Parameter[Any]) -> dict[str, str]:
    """What must be given along with a parameter."""
    needed = {
        get_account.EXTERNAL_KEY.name: get_account.EXTERNAL_VALUE.name,
        get_account.EXTERNAL_VALUE.name: get_account.EXTERNAL_KEY.name,
        get_candidate.ZIP_CODE.name: get_candidate.CUSTOMER_NUMBER.name,
    }.get(parameter.name)
    return {needed: "none"} if needed else {}


@pytest.mark.parametrize("name", BODY_EDGES)
async def test_activation_parameters_at_their_edges(service: RunningService, callers: Callers, name: str) -> None:
    for value, sentence in BODY_EDGES[name]:
        body = {**example_body(ACTIVATE), "marketing_permissions": "", name: value}
        response = await send_json(service, ACTIVATE, callers.anybody, body)
        if sentence is None:
            assert_refused(response, 404, "not_found")
        else:
            assert assert_refused(response, 400, "invalid_parameter", name)["message"] == sentence, value


def test_every_parameter_of_the_activation_has_edges() -> None:
    assert list(BODY_EDGES) == [p.name for p in ACTIVATE.parameter_set.parameters]


async def test_birth_dates_end_with_the_organisations_day(service: RunningService) -> None:
    """At 12:00 UTC it is already tomorrow in Auckland."""
    publisher = await service.publisher(timezone="Pacific/Auckland")
    body = {**example_body(ACTIVATE), "marketing_permissions": ""}
    responses = [await publisher.post(ACTIVATE.paths[0], {**body, "birth_date": f"2026-01-{d}"}) for d in ("16", "17")]
    assert_refused(responses[0], 404, "not_found")
    assert assert_refused(responses[1], 400, "invalid_parameter", "birth_date")["message"] == FUTURE


@pytest.mark.parametrize("endpoint", [CANDIDATE, ACCOUNTS, ACTIVATE], ids=lambda e: e.paths[0])
async def test_the_first_error_in_the_documents_order_is_reported(
    service: RunningService, callers: Callers, endpoint: Endpoint
) -> None:
    """Whatever order they are sent in."""
    names = [p.name for p in endpoint.parameter_set.parameters]
    for first, second in itertools.combinations(names, 2):
        for sent in ((first, second), (second, first)):
            if endpoint.body == "json":
                body = {n: v for n, v in example_body(endpoint).items() if n not in sent} | dict.fromkeys(sent, "\x00")
                response = await send_json(service, endpoint, callers.anybody, body)
            else:
                response = await send(service, endpoint, callers.anybody, query="&".join(f"{n}=%00" for n in sent))
            assert_refused(response, 400, "invalid_parameter", first)


# One key, both halves --------------------------------------------------------------------------------------

KEYS = {
    "id": "585a4768edce2c5e6f000003",
    "email": "a@example.com",
    "social_security_number": "123499-0000",
    "customer_number": "1",
    "external_id_key": "crm",
    "alias": "a",
    "tulo_customer_number": "1",
}


async def test_exactly_one_key_must_be_given(service: RunningService, callers: Callers) -> None:
    refusal = assert_refused(await send(service, ACCOUNTS, callers.anybody, query="&"), 400, "invalid_parameter")
    message = "One of parameters [id, email, social_security_number, customer_number, external_id_key] is required"
    assert refusal["message"] == message
    for pair in itertools.combinations(KEYS, 2):
        for sent in (pair, pair[::-1]):
            values = {name: KEYS[name] for name in sent}
            if "external_id_key" in sent:
                values["external_id_value"] = "1"
            response = await send(service, ACCOUNTS, callers.anybody, query=query_of(**values))
            message = f"Only one of [{', '.join(pair)}] is allowed"
            assert assert_refused(response, 400, "invalid_parameter")["message"] == message
    every = query_of(**KEYS, external_id_value="1")
    refusal = assert_refused(await send(service, ACCOUNTS, callers.anybody, query=every), 400, "invalid_parameter")
    assert refusal["message"] == f"Only one of [{', '.join(KEYS)}] is allowed"


@pytest.mark.parametrize("beside", [{}, {"email": "a@example.com"}], ids=["alone", "beside another key"])
async def test_half_an_external_id_requires_the_other_half(
    service: RunningService, callers: Callers, beside: dict[str, str]
) -> None:
    for half, missing in (("key", "value"), ("value", "key")):
        query = query_of(**{f"external_id_{half}": "x"}, **beside)
        response = await send(service, ACCOUNTS, callers.anybody, query=query)
        assert assert_refused(response, 400, "invalid_parameter", f"external_id_{missing}")["message"] == REQUIRED


async def test_an_external_id_is_not_found_by_halves_of_others(publisher: Publisher) -> None:
    """Key and value can't be mixed up, whatever characters they hold."""
    pairs = [ExternalId("a", "b"), ExternalId('a","b', ""), ExternalId("a:b", "c")]
    await publisher.activated(identity_mapping=pairs[:1])
    for key, value, status in (
        ("a", "b", 200),
        ("A", "b", 404),
        ("b", "a", 404),
        ('a","b', "x", 404),
        ("a ", "b", 404),
    ):
        response = await publisher.get(ACCOUNTS.paths[0], external_id_key=key, external_id_value=value)
        assert response.status_code == status


# Who is a candidate ----------------------------------------------------------------------------------------


async def test_a_candidate_needs_one_of_two_numbers(service: RunningService, callers: Callers) -> None:
    message = "One of parameters [social_security_number, customer_number] is required"
    for query in ("&", "zip_code=43921"):
        refusal = assert_refused(await send(service, CANDIDATE, callers.anybody, query=query), 400, "invalid_parameter")
        assert refusal["message"] == message


async def test_both_numbers_must_mean_the_same_customer(publisher: Publisher) -> None:
    first = await publisher.customer("1", social_security_number="620817-9256")
    await publisher.customer("2", social_security_number="910820-5205")
    await publisher.customer("3", social_security_number=None)
    path = CANDIDATE.paths[0]
    same = await publisher.get(path, social_security_number="620817-9256", customer_number="1")
    assert same.json()["item"]["account_candidate_id"] == first.id
    for number, customer in (("620817-9256", "2"), ("620817-9256", "3"), ("620817-9256", "9"), ("123499-0000", "1")):
        response = await publisher.get(path, social_security_number=number, customer_number=customer)
        assert assert_refused(response, 404, "not_found")["message"] == "account could not be found"


async def test_asking_again_gives_the_same_candidate(publisher: Publisher) -> None:
    await publisher.customer()
    queries: list[dict[str, str]] = [
        {"customer_number": "100001"},
        {"social_security_number": "620817-9256"},
        {"customer_number": "100001", "zip_code": "43921"},
        {"customer_number": "100001"},
    ]
    responses = [await publisher.get(CANDIDATE.paths[0], **query) for query in queries]
    assert len({r.text for r in responses}) == 1 and responses[0].status_code == 200


@pytest.mark.parametrize("stored", ["SW1 4", " sw14 ", "S W 1 4"])
async def test_zip_codes_match_without_regard_to_case_and_blanks(publisher: Publisher, stored: str) -> None:
    await publisher.customer(zip_code=stored)
    for sent, status in (("SW14", 200), ("sw14", 200), ("sW14", 200), ("SW1", 404), ("W14", 404), ("SW15", 404)):
        assert (await publisher.get(CANDIDATE.paths[0], customer_number="100001", zip_code=sent)).status_code == status


async def test_a_wrong_zip_code_reads_as_404_with_and_without_an_account(publisher: Publisher) -> None:
    """So a zip code must be known to learn that somebody is a customer, or has an account."""
    made = await publisher.customer()
    wrong = [await _by_zip(publisher, "99999")]
    body = {"account_candidate_id": made.id, "email": "ove@example.com", "password": "Df7Vdd8!!vnM"}
    assert (await publisher.post(ACTIVATE.paths[0], body)).status_code == 201
    wrong.append(await _by_zip(publisher, "99999"))
    wrong.append(await publisher.get(CANDIDATE.paths[0], customer_number="unknown"))
    assert {(r.status_code, r.text) for r in wrong} == {(404, wrong[0].text)}
    assert_refused(await _by_zip(publisher, "43921"), 409, "already_exists", "customer_number/ssn")


async def _by_zip(publisher: Publisher, zip_code: str) -> httpx.Response:
    return await publisher.get(CANDIDATE.paths[0], customer_number="100001", zip_code=zip_code)


async def test_a_customer_without_a_zip_code_matches_none(publisher: Publisher) -> None:
    await publisher.customer(zip_code=None, address=Address())
    assert (await _by_zip(publisher, "43921")).status_code == 404
    assert (await publisher.get(CANDIDATE.paths[0], customer_number="100001")).json()["item"]["zip_code"] is None


# Whatever else may be sent ---------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ["", "%", "%zz", "%00", "+", "&", "=", "\x00", "\ud800", "a" * 2000, "\u202e", "🧑‍🚀", "' OR '1'='1", "${jndi:x}"]
)
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
SWEEP = settings(max_examples=150)


def _harmless(response: httpx.Response) -> None:
    """There is a response, and it is never a fault of ours."""
    assert response.status_code in (200, 201, 400, 404, 409), response.text
    if response.status_code >= 400:
        error_body(response)


@SWEEP
@given(
    parameters=st.lists(st.tuples(st.sampled_from([p.name for _, p, _ in QUERY_EDGES]), st.binary(max_size=40))),
    endpoint=st.sampled_from([CANDIDATE, ACCOUNTS]),
)
@pytest.mark.both_engines
async def test_any_bytes_in_a_query(
    service: RunningService, callers: Callers, endpoint: Endpoint, parameters: list[tuple[str, bytes]]
) -> None:
    query = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in parameters) or "&"
    _harmless(await send(service, endpoint, callers.anybody, query=query))


@SWEEP
@given(edge=st.sampled_from(QUERY_EDGES), text=ANY_TEXT)
@pytest.mark.both_engines
async def test_any_text_in_a_query_parameter(
    service: RunningService, callers: Callers, edge: tuple[Endpoint, Parameter[Any], Any], text: str
) -> None:
    endpoint, parameter, _ = edge
    value = quote(text.encode(errors="surrogatepass"))
    query = "&".join([*(f"{n}={v}" for n, v in _companions(parameter).items()), f"{parameter.name}={value}"])
    _harmless(await send(service, endpoint, callers.anybody, query=query))


@SWEEP
@given(name=st.sampled_from([*BODY_EDGES, "unknown"]), value=JSON_VALUE)
@pytest.mark.both_engines
async def test_any_json_in_a_field(service: RunningService, callers: Callers, name: str, value: Any) -> None:
    body = {**example_body(ACTIVATE), "marketing_permissions": "", name: value}
    _harmless(await send_json(service, ACTIVATE, callers.anybody, body))


@SWEEP
@given(
    name=st.sampled_from([p.name for p in UPDATE.parameter_set.parameters if p.name != "id"]),
    member=st.sampled_from(["street", "country_code", "contact_email", "unknown", ""]),
    value=JSON_VALUE,
    atomic=st.sampled_from([True, False, None]),
)
@pytest.mark.both_engines
async def test_any_json_in_objects_and_arrays(
    service: RunningService, callers: Callers, name: str, member: str, value: Any, atomic: bool | None
) -> None:
    """Of an account that does not exist, so that nothing changes."""
    body = {**example_body(UPDATE), "atomic": atomic}
    for sent in ({name: value}, {"address": {**body["address"], member: value}}, {"tags": [value]}):
        _harmless(await send_json(service, UPDATE, callers.anybody, {**body, **sent}))


@SWEEP
@given(body=st.binary(max_size=200) | JSON_VALUE.map(lambda value: json.dumps(value).encode()))
async def test_any_bytes_as_a_body(service: RunningService, callers: Callers, body: bytes) -> None:
    _harmless(await send(service, ACTIVATE, callers.anybody, content=body))


@SWEEP
@given(body=st.binary(max_size=200), grant=st.sampled_from(["none", "password", "refresh_token", "", "\x00"]))
@pytest.mark.both_engines
async def test_any_bytes_in_the_token_form(service: RunningService, callers: Callers, body: bytes, grant: str) -> None:
    """The token endpoint has OAuth's errors instead of ours."""
    form_start = f"client_id={callers.client.id}&client_secret={callers.secret}&grant_type={quote(grant)}&".encode()
    fields = b"username=a&password=b&refresh_token=c&scope="
    for form in (body, form_start + body, form_start + fields + body, form_start + b"password=123456&username=" + body):
        response = await service.http.post("/api/authorization/access_token", content=form)
        assert response.status_code in (200, 400, 401), response.text
        if response.status_code != 200:
            assert list(response.json()) == ["error", "error_description"]


HOSTILE_EMAILS = [
    "a" * 1024,
    "a@" + "a." * 511,
    "a@" + "a" * 1022,
    "a@" + "a-" * 510 + "!",
    "a@" + ".a" * 511,
    "@" * 1024,
    "." * 1023 + "@",
    "a@b" + ".c" * 510 + "!",
    "a@" + "1." * 510 + "1",
    "+" * 512 + "@" + "-" * 511,
]


async def test_no_e_mail_keeps_the_server_busy(service: RunningService, callers: Callers) -> None:
    """Patterns that look back would still be at it when the test ends: 1024 characters each."""
    for email in HOSTILE_EMAILS:
        response = await send(service, ACCOUNTS, callers.anybody, query=query_of(email=email))
        assert assert_refused(response, 400, "invalid_parameter", "email")["message"] == EMAIL_FORMAT
        body = {**example_body(ACTIVATE), "email": email}
        response = await send_json(service, ACTIVATE, callers.anybody, body)
        assert assert_refused(response, 400, "invalid_parameter", "email")["message"] == EMAIL_FORMAT


INJECTIONS = ["' OR '1'='1", "'; DROP TABLE accounts; --", "\\'; SELECT 1", "1) UNION SELECT 1", "$1", "?1", "%' --"]


@pytest.mark.both_engines
async def test_sql_is_just_a_value(publisher: Publisher) -> None:
    """It finds nothing, changes nothing, and is stored and returned like any other name."""
    for number, text in enumerate(INJECTIONS):
        made = await publisher.customer(str(number), social_security_number=None)
        email = f"reader{number}@example.com"
        body = {
            "account_candidate_id": made.id,
            "email": email,
            "password": text * 3,
            "first_name": text,
            "alias": text,
        }
        assert (await publisher.post(ACTIVATE.paths[0], body)).status_code == 201
        response = await publisher.get(ACCOUNTS.paths[0], alias=text)
        assert response.json()["item"]["first_name"] == text
        assert_refused(await publisher.get(ACCOUNTS.paths[0], alias=f"{text} "), 404, "not_found")
        assert (await publisher.grant("password", username=email, password=text * 3)).status_code == 200
        refusal = await publisher.grant("password", username=f"{email}{text}", password=text)
        assert refusal.json()["error"] == "invalid_grant"


# Raw sockets -----------------------------------------------------------------------------------------------

HEALTH = b"/health/live"


@pytest.mark.parametrize("value", [b"a\x00b", b"a\rb", b"a\x0bb", b"a\x1bb", b"\xff\xfe", b"a\x7fb", b"a: b\x01"])
async def test_control_characters_in_headers_go_nowhere(service: RunningService, value: bytes) -> None:
    """Either the HTTP server refuses the request, or our own response replaces the id and refuses the token."""
    response = await raw.send(service, raw.get(HEALTH, b"X-Request-Id: " + value))
    assert response.status in (200, 400) and value not in response.body
    if response.status == 200:
        assert REQUEST_ID.fullmatch(response.headers["x-request-id"])
    response = await raw.send(service, raw.get(b"/external/api/v1/me", b"Authorization: Bearer " + value))
    assert response.status in (400, 401) and value not in response.body


async def test_a_request_id_can_not_split_the_response(service: RunningService) -> None:
    """A line break makes another header of the request, never one of the response."""
    for injected in (
        b"a\r\nX-Injected: yes",
        b"a\nX-Injected: yes",
        b"a\r\n\r\nGET /x HTTP/1.1",
        b"a%0d%0aX-Injected: yes",
    ):
        response = await raw.send(service, raw.get(HEALTH, b"X-Request-Id: " + injected))
        assert response.status in (200, 400)
        assert "x-injected" not in response.headers


async def test_a_token_with_nothing_behind_the_scheme(service: RunningService) -> None:
    for header in (b"Authorization:", b"Authorization: Bearer ", b"Authorization:  \t "):
        response = await raw.send(service, raw.get(b"/external/api/v1/me", header))
        assert (response.status, response.json()["code"]) == (401, "invalid_token")


async def test_queries_that_are_no_utf_8(service: RunningService, callers: Callers) -> None:
    """Named by parameter, never a fault."""
    for value in ("%ff", "%c3", "a%80", "%ed%a0%80", "%c0%af", "%f8%88%80%80%80"):
        response = await send(service, ACCOUNTS, callers.anybody, query=f"email={value}")
        assert assert_refused(response, 400, "invalid_parameter", "email")["message"] == NOT_UTF8
    response = await send(service, ACCOUNTS, callers.anybody, query="%ff=1")
    assert assert_refused(response, 400, "unknown_parameter")["message"] == "Unknown parameters: \ufffd"


@pytest.mark.parametrize("value", [b"\xff", b"\xc3", "å".encode(), b"\xed\xa0\x80", b"a\x00b", b"a\x01", b"a b"])
async def test_bytes_that_no_url_has_are_refused(service: RunningService, callers: Callers, value: bytes) -> None:
    token = b"Authorization: Bearer " + callers.anybody.encode()
    assert (await raw.send(service, raw.get(b"/external/api/v1/accounts?alias=" + value, token))).status == 400


async def test_broken_percent_encoding_is_taken_as_it_comes(service: RunningService, callers: Callers) -> None:
    token = b"Authorization: Bearer " + callers.anybody.encode()
    for value in (b"%", b"%z", b"100%25%", b"%0"):
        response = await raw.send(service, raw.get(b"/external/api/v1/accounts?alias=" + value, token))
        assert (response.status, response.json()["code"]) == (404, "not_found")


@pytest.mark.both_engines
async def test_an_encoded_nul_is_no_part_of_any_value(service: RunningService, callers: Callers) -> None:
    for _, parameter, _ in QUERY_EDGES[3:]:
        query = query_of(**{**_companions(parameter), parameter.name: "a\x00b"})
        response = await send(service, ACCOUNTS, callers.anybody, query=query)
        assert_refused(response, 400, "invalid_parameter", parameter.name)


async def test_urls_that_are_too_long(service: RunningService, callers: Callers) -> None:
    """Ours up to 64 KiB; beyond that nothing looks at them."""
    token = b"Authorization: Bearer " + callers.anybody.encode()
    for length, status in ((60_000, 400), (66_000, 431), (200_000, 431)):
        response = await raw.send(service, raw.get(b"/external/api/v1/accounts?alias=" + b"a" * length, token))
        assert response.status == status
    response = await raw.send(service, raw.get(b"/external/api/v1/accounts/" + b"a" * 60_000, token))
    assert (response.status, response.json()["code"]) == (404, "not_found")
    assert (await send(service, ACCOUNTS, callers.anybody, query=query_of(email="a@example.com"))).status_code == 404


SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST /external/api/v1/accounts/activate_candidate HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
DISPUTED = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length with a sign": b"Content-Length: +0\r\n\r\n",
    "a length in hex": b"Content-Length: 0x0\r\n\r\n",
    "a length beyond all numbers": b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "unknown encoding": b"Transfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "chunks not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"Content-Length : 5\r\n\r\n",
    "a folded line": b"X: a\r\n Content-Length: 5\r\n\r\n",
    "a chunk size that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
}


@pytest.mark.parametrize("what", DISPUTED)
async def test_a_request_whose_end_is_disputed_is_refused(service: RunningService, what: str) -> None:
    """What follows it is never taken for another request."""
    response = await raw.send(service, POST + DISPUTED[what] + SMUGGLED)
    assert 400 <= response.status < 500
    assert response.rest == b""


@pytest.mark.parametrize(
    ("digits", "statuses"),
    [(b"0" * 5_000 + b"2", {400, 403}), (b"9" * 19, {413}), (b"0" * 5_000, {400, 403})],
)
async def test_a_length_of_many_digits(service: RunningService, digits: bytes, statuses: set[int]) -> None:
    """Python reads no number of thousands of digits."""
    head = b"POST /login HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    response = await raw.send(service, head + b"Connection: close\r\nContent-Length: " + digits + b"\r\n\r\na=")
    assert response.status in statuses


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"\r\n\r\nX\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused(service: RunningService, request_bytes: bytes) -> None:
    response = await raw.send(service, request_bytes)
    assert (response.status, response.json()["code"]) == (400, "bad_request")
    assert REQUEST_ID.fullmatch(response.headers["x-request-id"])


WITHOUT_HOST = b"GET /health/live HTTP/%b\r\n%bX-Request-Id: mine\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        (b"1.1", b"Host: a.example\r\n", 200),
        (b"1.1", b"host:\r\n", 200),
        (b"1.1", b"", 400),
        (b"1.1", b"Host: a.example\r\nHost: a.example\r\n", 400),
        (b"1.1", b"Host: a.example\r\nX: y\r\nx: z\r\nHOST: b.example\r\n", 400),
        (b"1.1", b"X-Forwarded-Host: a.example\r\n", 400),
        (b"1.0", b"", 200),
        (b"1.0", b"Host: a.example\r\n", 200),
        (b"1.0", b"Host: a.example\r\nHost: b.example\r\n", 400),
    ],
)
async def test_a_request_has_one_host(service: RunningService, version: bytes, hosts: bytes, status: int) -> None:
    response = await raw.send(service, WITHOUT_HOST % (version, hosts))
    assert response.status == status and response.headers["x-request-id"] == "mine"
    if status == 400:
        assert response.json()["code"] == "bad_request" and "Host" in response.json()["message"]


async def test_blanks_around_a_header_are_no_part_of_it(service: RunningService, callers: Callers) -> None:
    token = callers.anybody.encode()
    for header in (b"Authorization: Bearer %b  ", b"Authorization: Bearer %b\t \t", b"Authorization:\t Bearer %b"):
        response = await raw.send(
            service, raw.get(b"/external/api/v1/titles", header % token, b"X-Request-Id: mine \t")
        )
        assert response.status in (200, 403) and response.headers["x-request-id"] == "mine"


@pytest.mark.both_engines
async def test_blanks_in_a_header_are_read_as_one(service: RunningService, callers: Callers) -> None:
    """After the scheme there may be several (RFC 9110, 11.4)."""
    token = callers.anybody.encode()
    for blanks in (b" ", b"  ", b"     "):
        response = await raw.send(
            service, raw.get(b"/external/api/v1/titles", b"Authorization: Bearer%b%b" % (blanks, token))
        )
        assert response.status in (200, 403)
    publisher = await service.publisher()
    credentials = base64.b64encode(f"{publisher.client.id}:{publisher.secret}".encode())
    for blanks in (b" ", b"  ", b"     "):
        for length in (b"15", b"15 ", b" 15\t ", b"\t15"):
            request = b"\r\n".join(
                (
                    b"POST /api/authorization/access_token HTTP/1.1",
                    b"Host: test  ",
                    b"Authorization:  Basic%b%b " % (blanks, credentials),
                    b"Content-Type: application/x-www-form-urlencoded ",
                    b"Content-Length:" + length,
                    b"Connection: close ",
                    b"",
                    b"grant_type=none",
                )
            )
            response = await raw.send(service, request)
            assert (response.status, response.json().get("token_type")) == (200, "Bearer"), (blanks, length)


@pytest.mark.both_engines
async def test_blanks_after_the_length_of_a_json_body(service: RunningService, callers: Callers) -> None:
    head = b"POST /external/api/v1/accounts/activate_candidate HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    token = b"Authorization: Bearer %b \r\n" % callers.anybody.encode()
    response = await raw.send(
        service, head + token + b"Content-Type: application/json \t\r\nContent-Length: 2 \r\n\r\n{}"
    )
    assert (response.status, response.json()["field"]) == (400, "account_candidate_id")


async def test_an_absolute_target_is_read_as_its_path(service: RunningService) -> None:
    assert (await raw.send(service, raw.get(b"http://elsewhere.example/health/live"))).status == 200


@pytest.mark.both_engines
async def test_unknown_ids_of_any_time_are_just_unknown(service: RunningService, callers: Callers) -> None:
    for timestamp in (0, NOW, 2**32 - 1):
        response = await send(service, ACCOUNTS, callers.anybody, query=query_of(id=new_id(timestamp)))
        assert_refused(response, 404, "not_found")
