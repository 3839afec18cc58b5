"""All routes in one text: what each needs and how each may refuse. `python -m tests.guards.routes` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from stamkund.endpoints import declared_endpoints
from stamkund.wire.endpoint import Endpoint


def described() -> str:
    return "\n".join(line for endpoint in declared_endpoints() for line in _lines(endpoint))


def _lines(endpoint: Endpoint) -> Iterator[str]:
    for path in endpoint.paths:
        yield f"{endpoint.method} {path}"
    yield f"  scope: {'public' if endpoint.public else endpoint.scope}"
    yield f"  identity: {'yes' if endpoint.identity else 'no'}"
    yield f"  body: {endpoint.body or 'none'}"
    yield f"  parameters: {' '.join(_parameters(endpoint)) or 'none'}"
    if endpoint.limit is not None:
        yield f"  limit: {endpoint.limit.name}"
    yield f"  success: {endpoint.success}"
    for problem in endpoint.refusals:
        field = f" ({problem.field})" if problem.field else ""
        yield f"  refusal: {problem.status} {problem.code}{field}: {problem.message}"
    yield ""


def _parameters(endpoint: Endpoint) -> Iterator[str]:
    for parameter in endpoint.parameter_set.parameters:
        yield parameter.name + ("!" if parameter.required else "")


if __name__ == "__main__":
    print(described(), end="")
