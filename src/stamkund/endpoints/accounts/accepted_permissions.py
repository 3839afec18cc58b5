"""The marketing permissions that a new account accepts, named by their ids."""

from __future__ import annotations

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.account import MarketingPermission
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter


def accepted_permissions(call: Call, parameter: Parameter[list[str]]) -> list[MarketingPermission]:
    """Each with the type that it has now. Raises Refused for one that is no active permission of the organisation."""
    active = call.caller.organisation.active_permissions()
    accepted = call.parameters.get(parameter) or []
    if any(permission not in active for permission in accepted):
        raise Refused(problems.unknown_permission(parameter.name))
    return [MarketingPermission(permission, active[permission].type) for permission in accepted]
