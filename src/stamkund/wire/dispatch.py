"""From request to response: finds the endpoint and makes its checks, in the wire contract's order.

token (401) → scope and identity (403) → the client's rate limit (429) → size (413) → encoding (415) → content type →
JSON → unknown parameters → values (400) → the rate limit of the identifiers (429), once their values are valid → the
handler. Nothing else decides in which order a caller learns what is wrong. Every response, also the one to a fault of
ours, is a JSON body with a code and a request id.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from stamkund import log, problems
from stamkund.identity.hashing_queue import CallerGone, HashingQueueFull
from stamkund.identity.tokens import token_digest
from stamkund.problems import Problem, Refused
from stamkund.rules.account import ARCHIVED, Account
from stamkund.rules.mail import TooManyMails
from stamkund.rules.timestamps import zone
from stamkund.rules.values import NO_CONTEXT, Context, ValueType
from stamkund.store import Unavailable
from stamkund.wire import cors
from stamkund.wire.call import Call
from stamkund.wire.caller import access_problem, bearer_token, caller_of
from stamkund.wire.endpoint import Endpoint, Loads
from stamkund.wire.form import is_form, parse_form
from stamkund.wire.parameters import ParsedParameters, parse_json_object, parse_query
from stamkund.wire.request import BodyTooLarge, Disconnected, Request
from stamkund.wire.response import NO_STORE, Response
from stamkund.wire.services import Services

MAX_BODY_BYTES = 64 * 1024
_MAX_LENGTH_DIGITS = len(str(MAX_BODY_BYTES))

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:+/=-]{1,128}")
_JSON = re.compile(rb"application/json[ \t]*(;.*)?", re.IGNORECASE)
_NOT_ENCODED = (b"", b"identity")
_encode = msgspec.json.Encoder().encode


class UndeclaredRefusal(Exception):
    """A handler raised a refusal that its declaration does not name."""


class Dispatch:
    """Responds to requests for these endpoints."""

    def __init__(self, endpoints: Iterable[Endpoint], services: Services) -> None:
        self._services = services
        self._routes: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            for path in endpoint.paths:
                methods = self._routes.setdefault(path, {})
                if endpoint.method in methods:
                    raise TypeError(f"{endpoint.method} {path} is declared twice")
                methods[endpoint.method] = endpoint
                if endpoint.method == "GET":  # the server leaves the body out
                    methods["HEAD"] = endpoint
        self._log = log.get()
        self._process = os.urandom(6).hex()
        self._count = itertools.count(1)

    async def respond(self, request: Request) -> Response | None:
        """The response to a request, which is logged when it is sent; None where the caller went away before that."""
        started = time.perf_counter()
        request_id = self._request_id(request.headers)
        call = Call(self._services, self._services.clock(), request)
        endpoint: Endpoint | None = None
        try:
            endpoint = self._endpoint(request)
            response = await self._response(endpoint, call)
        except (Disconnected, CallerGone):
            return None
        except Exception as error:
            response = self._error_response(error, endpoint, call, request_id)
        origin = request.headers.get(b"origin")
        if origin is not None:
            response = await cors.with_cors(response, origin, call, request.method, self._methods(request.path))
        response.request_id = request_id
        name = endpoint.name if endpoint else None
        response.when_sent = partial(log.request, request_id, call.client.id, name, response.status, started, call.now)
        return response

    def refuse(self, request: Request, problem: Problem) -> Response:
        """The response to what the server could not read as a request, logged when it is sent, like any other."""
        started, request_id = time.perf_counter(), self._request_id(request.headers)
        response = Response(problem.status, _encode(problem.body()), headers=(*problem.headers, NO_STORE))
        response.request_id = request_id
        response.when_sent = partial(log.request, request_id, "", None, problem.status, started, self._services.clock())
        return response

    def _request_id(self, headers: Mapping[bytes, bytes]) -> str:
        sent = headers.get(b"x-request-id")
        if sent is not None and _REQUEST_ID.fullmatch(sent):
            return sent.decode("ascii")
        return f"{self._process}-{next(self._count)}"

    def _methods(self, path: str) -> Mapping[str, Endpoint]:
        return self._routes.get(path) or self._routes.get(path.removesuffix("/")) or {}

    def _endpoint(self, request: Request) -> Endpoint:
        methods = self._methods(request.path)
        if not methods:
            raise Refused(problems.PATH_NOT_FOUND)
        endpoint = methods.get(request.method)
        if endpoint is None:
            raise Refused(problems.method_not_allowed(methods))
        return endpoint

    async def _response(self, endpoint: Endpoint, call: Call) -> Response:
        if not endpoint.public:
            await self._authenticate(endpoint, call)
        if endpoint.body is not None:
            await _read_body(endpoint, call)
        elif endpoint.loads.account is None and not endpoint.free_query:
            call.parameters = _query_parameters(endpoint, call)
        if endpoint.long_parameters and not endpoint.public:
            _check_lengths(endpoint, call)
        if endpoint.limit is not None:
            limits, caller = self._services.limits, call.caller
            for identifier in endpoint.limit.identifiers(call):
                limits.identifier(endpoint.limit.name, caller.organisation.id, caller.client.id, identifier, call.now)
        if endpoint.numbers is not None and (numbers := endpoint.numbers(call)):
            call.begin_look_up(numbers)
        result = await _handle(endpoint, call)
        if isinstance(result, Response):
            return result
        return Response(endpoint.success, _encode(result), headers=endpoint.cache_headers)

    async def _authenticate(self, endpoint: Endpoint, call: Call) -> None:
        """Checks the access token. The account that the call is about is read along with the token, so a query that
        names one is parsed first; but only a caller who may make the call learns what is wrong with the query."""
        query_error: Refused | None = None
        account = None
        if endpoint.loads.account is not None:
            try:
                call.parameters = _query_parameters(endpoint, call)
                account = endpoint.loads.account(call.parameters, self._services)
            except Refused as error:
                query_error = error
        header = call.headers.get(b"authorization")
        token = bearer_token(header)
        if token is None:
            raise Refused(problems.MISSING_TOKEN if header is None else problems.INVALID_TOKEN)
        authenticated = await self._services.store.tokens.authenticate(
            token_digest(token), account, endpoint.loads.catalogue
        )
        caller = caller_of(authenticated, call.now)
        if caller is None:
            raise Refused(problems.INVALID_TOKEN)
        call.authenticate_caller(caller, authenticated)
        problem = access_problem(caller, endpoint.scope, endpoint.identity)
        if problem is not None:
            raise Refused(problem)
        if endpoint.limit is not None:
            self._services.limits.client(endpoint.limit.name, caller.organisation.id, caller.client.id, call.now)
            if endpoint.numbers is not None:  # the call has no other purpose, so nothing is looked at any more
                call.begin_look_up(())
        if query_error is not None:
            raise query_error

    def _error_response(self, error: Exception, endpoint: Endpoint | None, call: Call, request_id: str) -> Response:
        problem = self._problem_of(error, request_id)
        if endpoint is not None and endpoint.refusal_page is not None:
            return endpoint.refusal_page(call, problem)
        return Response(problem.status, _encode(problem.body()), headers=(*problem.headers, NO_STORE))

    def _problem_of(self, error: Exception, request_id: str) -> Problem:
        if isinstance(error, Refused):
            return error.problem
        if isinstance(error, Unavailable):
            self._log.warning("database unavailable", id=request_id, **log.where(error))
            return problems.UNAVAILABLE
        if isinstance(error, HashingQueueFull):
            return problems.BUSY
        self._log.error("internal error", id=request_id, **log.where(error))
        return problems.internal(request_id)


async def _handle(endpoint: Endpoint, call: Call) -> Any:
    """What the handler returns. A refusal that was not declared is a fault of ours, not a response."""
    handler, loads = endpoint.handler, endpoint.loads
    try:
        if loads.account is None:
            return await (handler(call, catalogue=await call.catalogue()) if loads.catalogue else handler(call))
        account = _account(call, loads)
        if loads.catalogue:
            return await handler(call, account=account, catalogue=await call.catalogue())
        return await handler(call, account=account)
    except Refused as error:
        problem = error.problem
        if problem in endpoint.refusals or problem.code == problems.INVALID_PARAMETER:
            raise
        if problem.code == problems.TOO_MANY and endpoint.is_limited:
            raise
        raise UndeclaredRefusal(problem.code) from error
    except TooManyMails as error:
        if not endpoint.mails:
            raise UndeclaredRefusal(problems.TOO_MANY) from error
        raise Refused(problems.too_many_requests(error.seconds)) from error


def _account(call: Call, loads: Loads) -> Account:
    """The account that the declaration loads. Raises Refused where it is missing, which is a miss of a look-up.

    An archived account counts as missing, whatever it is still found by.
    """
    account = call.account()
    if account is None or account.status == ARCHIVED:
        call.look_up.miss()
        assert loads.missing is not None, "the declaration was checked"
        raise Refused(loads.missing)
    return account


def _query_parameters(endpoint: Endpoint, call: Call) -> ParsedParameters:
    return _parsed(endpoint, parse_query(call.query), NO_CONTEXT)


def _parsed(endpoint: Endpoint, sent: Mapping[str, Any], context: Context) -> ParsedParameters:
    parameters = endpoint.parameter_set.parse(sent, context)
    if endpoint.check is not None:
        endpoint.check(parameters)
    return parameters


def _check_lengths(endpoint: Endpoint, call: Call) -> None:
    """Refuses numbers that are longer than the documents say, unless the organisation has such numbers.

    Which organisation it is, is not known yet when a query is parsed.
    """
    if call.caller.organisation.long_customer_numbers:
        return
    for parameter in endpoint.long_parameters:
        value, value_type = call.parameters.get(parameter), parameter.type
        assert isinstance(value_type, ValueType), "no other type has a length"
        if value is not None and len(value) > (value_type.max_length or 0):
            raise Refused(problems.invalid(parameter.name, str(value_type.too_long())))


async def _read_body(endpoint: Endpoint, call: Call) -> None:
    body = await _body(call)
    if call.headers.get(b"content-encoding", b"identity").lower() not in _NOT_ENCODED:
        raise Refused(problems.UNSUPPORTED_ENCODING)
    if endpoint.body == "form":
        call.form = parse_form(body)
        if endpoint.refusal_page is not None and not is_form(call.headers.get(b"content-type", b""), call.form):
            raise Refused(problems.NOT_A_FORM)  # OAuth's calls have an error of their own for it
        return
    if _JSON.fullmatch(call.headers.get(b"content-type", b"")) is None:
        raise Refused(problems.INVALID_CONTENT_TYPE)
    context = NO_CONTEXT if endpoint.public else _context(call)
    call.parameters = _parsed(endpoint, parse_json_object(body), context)


def _context(call: Call) -> Context:
    organisation = call.caller.organisation
    return Context(zone(organisation.timezone).today(call.now), organisation.requires_checksum)


async def _body(call: Call) -> bytes:
    """The whole body, at most 64 KiB. Raises Refused, Disconnected.

    The connection stays open at 413: the server discards the rest of the body as it comes. Closing it under a client
    that is still sending would take the response away from it.
    """
    digits = call.headers.get(b"content-length", b"0").lstrip(b"0")  # Python reads no number of thousands of digits
    if len(digits) > _MAX_LENGTH_DIGITS or (digits and not digits.isdigit()) or int(digits or b"0") > MAX_BODY_BYTES:
        raise Refused(problems.PAYLOAD_TOO_LARGE)
    try:
        return await call.request.read_body(MAX_BODY_BYTES)
    except BodyTooLarge:
        raise Refused(problems.PAYLOAD_TOO_LARGE) from None
