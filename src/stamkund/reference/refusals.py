"""All refusals that a call can respond with, derived from its declaration in the order in which dispatch checks.

Those of the handler are declared; the others follow from what a call takes: a token, a body, parameters, rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from stamkund import problems
from stamkund.problems import Problem, Refused
from stamkund.rules.values import NO_CONTEXT, Invalid, ValueType
from stamkund.wire.endpoint import Endpoint
from stamkund.wire.parameters import Parameter, ParsedParameters

REQUEST_ID = "5f0c2b7a91de-42"
"""The request id in examples."""

_NEVER_VALID = "?"
"""Matches no documented pattern."""


def refusals(endpoint: Endpoint) -> list[Problem]:
    """Without duplicates, by status, then in the order of the checks. OAuth's errors are not included."""
    unique = {_key(p): p for p in _in_order(endpoint)}
    return sorted(unique.values(), key=lambda p: p.status)


def _key(problem: Problem) -> tuple[int, str, str | None, str]:
    return problem.status, problem.code, problem.field, problem.message


def _in_order(endpoint: Endpoint) -> Iterator[Problem]:
    if not endpoint.public:
        yield problems.INVALID_TOKEN
    if endpoint.scope is not None:
        yield problems.insufficient_scope(endpoint.scope)
    if endpoint.identity:
        yield problems.IDENTITY_REQUIRED
    if endpoint.is_limited:
        yield problems.too_many_requests(60)
    yield from _of_input(endpoint)
    yield from endpoint.refusals
    if not endpoint.public:
        yield problems.UNAVAILABLE  # the token is looked up in the database
    yield problems.internal(REQUEST_ID)


def _of_input(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.body is not None:
        yield problems.PAYLOAD_TOO_LARGE
        yield problems.UNSUPPORTED_ENCODING
    if endpoint.body == "form":
        yield problems.TOO_MANY_FIELDS
    if endpoint.body == "form" and endpoint.refusal_page is not None:
        yield problems.NOT_A_FORM
    if endpoint.body == "json":
        yield problems.INVALID_CONTENT_TYPE
        yield problems.INVALID_JSON
    if endpoint.body != "form" and not endpoint.free_query:
        yield problems.unknown_parameters(["my_parameter"])
    parameters = endpoint.parameter_set.parameters
    yield from (problems.required(p.name) for p in parameters[:1] if p.required)
    yield from _malformed(parameters)
    yield from (problems.unset_not_supported(p.name) for p in _not_emptied(parameters))
    yield from _broken_rule(endpoint)


def _malformed(parameters: tuple[Parameter[object], ...]) -> Iterator[Problem]:
    """The refusal of the first parameter that can be malformed, as an example for all of them."""
    for parameter in parameters:
        if not isinstance(parameter.type, ValueType):
            continue
        try:
            parameter.type.parse(_NEVER_VALID, NO_CONTEXT)
        except Invalid as error:
            yield problems.invalid(parameter.name, str(error))
            return


def _not_emptied(parameters: tuple[Parameter[object], ...]) -> Iterator[Parameter[object]]:
    """The first parameter that `__UNSET__` is refused for, as an example for all of them."""
    yield from [p for p in parameters if p.unset is False][:1]


def _broken_rule(endpoint: Endpoint) -> Iterator[Problem]:
    """How the rule about several parameters refuses a request with none of them, and one with all of them."""
    if endpoint.check is None:
        return
    all_parameters = {p.name: p.type.example for p in endpoint.parameter_set.parameters}
    for parameters in ({}, all_parameters):
        try:
            endpoint.check(ParsedParameters(parameters))
        except Refused as error:
            yield error.problem
