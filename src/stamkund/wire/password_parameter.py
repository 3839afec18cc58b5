"""A password that a client's reader chooses, held to the organisation's rules at every call that sets one."""

from __future__ import annotations

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.account import Account
from stamkund.rules.customer import Customer
from stamkund.rules.password_rules import PasswordProblem, own_words, problem_of
from stamkund.wire.call import Call
from stamkund.wire.parameters import Parameter


def check_password(call: Call, parameter: Parameter[str], person: Account | Customer, *more: str | None) -> None:
    """Refuses a weak password, where the organisation's rules are for clients of the API too.

    `more`: what the password must not be made of, beside what is stored of the person and the organisation's name.
    Raises Refused.
    """
    organisation = call.caller.organisation
    if not organisation.password_rules.for_api:
        return
    words = own_words(person, organisation.name, *more)
    match problem_of(call.parameters[parameter], organisation.password_rules, words):
        case PasswordProblem.TOO_SHORT:
            raise Refused(problems.too_short(parameter.name, organisation.password_rules.min_length))
        case PasswordProblem.COMMON:
            raise Refused(problems.common_password(parameter.name))
        case PasswordProblem.OWN_DATA:
            raise Refused(problems.password_of_own_data(parameter.name))
