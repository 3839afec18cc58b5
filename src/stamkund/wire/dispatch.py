"""The ASGI application: finds the endpoint and makes its checks, in the wire contract's order.

token (401) → scope and identity (403) → the client's rate limit (429) → size (413) → content type → JSON → unknown
parameters → values (400) → the rate limit of what is asked about (429), which right values alone tell → the story.
Nothing else decides in which order a caller learns what is wrong. Every answer, also the one to a fault of ours, is a
JSON body with a code and a request id.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from stamkund import log, problems
from stamkund.identity.passwords import HashingQueueFull
from stamkund.identity.tokens import token_digest
from stamkund.problems import Problem, Refused
from stamkund.rules.timestamps import zone
from stamkund.rules.values import NO_CONTEXT, Context
from stamkund.store import Unavailable
from stamkund.wire import caller as callers
from stamkund.wire import cors, parameters
from stamkund.wire.endpoint import MAX_BODY_BYTES, Call, Endpoint, Response
from stamkund.wire.form import form
from stamkund.wire.parameters import ParsedParameters
from stamkund.wire.services import Services

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:+/=-]{1,128}")
_JSON = re.compile(rb"application/json[ \t]*(;.*)?", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode
_NO_CONTENT = 204
_NO_STORE = (b"cache-control", b"no-store")


class Disconnected(Exception):
    """The caller went away before its request was read."""


class UndeclaredRefusal(Exception):
    """A story refused in a way that its declaration does not tell of."""


class Dispatch:
    """Responds to requests for the endpoints of the services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._routes: dict[str, dict[str, Endpoint]] = {}
        for endpoint in services.endpoints:
            for path in endpoint.paths:
                self._routes.setdefault(path, {})[endpoint.method] = endpoint
        self._log = log.get()
        self._process = os.urandom(6).hex()
        self._count = itertools.count(1)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = self._request_id(headers)
        call = Call(self._services, self._services.clock(), headers)
        call.peer = scope.get("client")
        call.path, call.query = scope["path"], scope["query_string"]
        endpoint: Endpoint | None = None
        try:
            endpoint = self._endpoint(scope)
            answer = await self._answer(endpoint, call, scope, receive)
        except Disconnected:
            return
        except Exception as error:
            answer = self._refused(error, endpoint, call, request_id)
        origin = headers.get(b"origin")
        if origin is not None:
            answer = await cors.shown(answer, origin, call, scope["method"], self._methods(scope["path"]))
        await _send(answer, request_id, send)
        log.request(
            request_id,
            call.client.id,
            f"{scope['method']} {endpoint.paths[0]}" if endpoint else None,
            answer.status,
            time.perf_counter() - started,
            call.now,
        )

    def _request_id(self, headers: Mapping[bytes, bytes]) -> str:
        sent = headers.get(b"x-request-id")
        if sent is not None and _REQUEST_ID.fullmatch(sent):
            return sent.decode("ascii")
        return f"{self._process}-{next(self._count)}"

    def _methods(self, path: str) -> Mapping[str, Endpoint]:
        return self._routes.get(path) or self._routes.get(path.removesuffix("/")) or {}

    def _endpoint(self, scope: Mapping[str, Any]) -> Endpoint:
        methods = self._methods(scope["path"])
        if not methods:
            raise Refused(problems.PATH_NOT_FOUND)
        endpoint = methods.get(scope["method"])
        if endpoint is None:
            raise Refused(problems.method_not_allowed(methods))
        return endpoint

    async def _answer(self, endpoint: Endpoint, call: Call, scope: Mapping[str, Any], receive: Receive) -> Response:
        if not endpoint.public:
            await self._admit(endpoint, call, scope)
        if endpoint.body is not None:
            await _read_body(endpoint, call, receive)
        elif endpoint.subject is None and not endpoint.free_query:
            call.given = _given(endpoint, scope)
        if endpoint.limit is not None:
            for identifier in endpoint.limit.about(call):
                self._services.limits.identifier(endpoint.limit.name, call.caller.organisation.id, identifier, call.now)
        result = await _told(endpoint, call)
        if isinstance(result, Response):
            return result
        return Response(endpoint.success, _encode(result), headers=_for_caches(endpoint))

    async def _admit(self, endpoint: Endpoint, call: Call, scope: Mapping[str, Any]) -> None:
        """Lets the caller in. The account that the call is about is read along with the token, so a query that names
        one is parsed first, but what is wrong with it is told only to a caller who may ask."""
        wrong: Refused | None = None
        subject = None
        if endpoint.subject is not None:
            try:
                call.given = _given(endpoint, scope)
                subject = endpoint.subject(call.given, self._services)
            except Refused as error:
                wrong = error
        header = call.headers.get(b"authorization")
        token = callers.bearer_token(header)
        if token is None:
            raise Refused(problems.MISSING_TOKEN if header is None else problems.INVALID_TOKEN)
        opened = await self._services.store.tokens.authenticate(token_digest(token), subject, endpoint.catalogue)
        caller = callers.caller_of(opened, call.now)
        if caller is None:
            raise Refused(problems.INVALID_TOKEN)
        call.by(caller, opened)
        refusal = callers.access_problem(caller, endpoint.scope, endpoint.identity)
        if refusal is not None:
            raise Refused(refusal)
        if endpoint.limit is not None:
            self._services.limits.client(endpoint.limit.name, caller.client.id, call.now)
        if wrong is not None:
            raise wrong

    def _refused(self, error: Exception, endpoint: Endpoint | None, call: Call, request_id: str) -> Response:
        problem = self._problem_of(error, request_id)
        if endpoint is not None and endpoint.refusal_page is not None:
            return endpoint.refusal_page(call, problem)
        return _problem(problem)

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


def _for_caches(endpoint: Endpoint) -> tuple[tuple[bytes, bytes], ...]:
    if endpoint.personal:
        return (_NO_STORE,)
    if not endpoint.max_age:
        return ()
    # Also where no origin was sent: what a cache keeps of that must not be given to a script.
    return (b"cache-control", b"public, max-age=%d" % endpoint.max_age), cors.VARY


async def _told(endpoint: Endpoint, call: Call) -> Any:
    """The story's answer. A refusal that was not declared is a fault of ours, not an answer."""
    try:
        return await endpoint.story(call)
    except Refused as refused:
        problem = refused.problem
        if problem in endpoint.refusals or problem.code == "invalid_parameter":
            raise
        if problem.code == problems.TOO_MANY and endpoint.limit is not None:
            raise
        raise UndeclaredRefusal(problem.code) from refused


def _given(endpoint: Endpoint, scope: Mapping[str, Any]) -> ParsedParameters:
    return _checked(endpoint, parameters.query(scope["query_string"]), NO_CONTEXT)


def _checked(endpoint: Endpoint, sent: Mapping[str, Any], context: Context) -> ParsedParameters:
    given = endpoint.declared.read(sent, context)
    if endpoint.check is not None:
        endpoint.check(given)
    return given


async def _read_body(endpoint: Endpoint, call: Call, receive: Receive) -> None:
    body = await _body(call.headers, receive)
    if endpoint.body == "form":
        call.form = form(body)
        return
    if _JSON.fullmatch(call.headers.get(b"content-type", b"")) is None:
        raise Refused(problems.INVALID_CONTENT_TYPE)
    context = NO_CONTEXT if endpoint.public else _context(call)
    call.given = _checked(endpoint, parameters.json_object(body), context)


def _context(call: Call) -> Context:
    organisation = call.caller.organisation
    return Context(zone(organisation.timezone).today(call.now), organisation.requires_checksum)


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """The whole body, at most 64 KiB. Raises Refused, Disconnected.

    The connection stays open at 413: the server throws the rest of the body away as it comes. Closing under a client
    that is still sending would take the answer away from it.
    """
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise Refused(problems.PAYLOAD_TOO_LARGE)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY_BYTES:
            raise Refused(problems.PAYLOAD_TOO_LARGE)
        if not message.get("more_body", False):
            return body


def _problem(problem: Problem) -> Response:
    return Response(problem.status, _encode(problem.body()), headers=(*problem.headers, _NO_STORE))


async def _send(answer: Response, request_id: str, send: Send) -> None:
    body: tuple[tuple[bytes, bytes], ...] = ()
    if answer.status != _NO_CONTENT:
        body = (b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body))
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                *body,
                (b"x-request-id", request_id.encode("ascii")),
                *answer.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
