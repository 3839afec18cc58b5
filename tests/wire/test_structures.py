"""Objects, arrays and maps in JSON bodies: what is wrong in them is named by its path, and their size is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from stamkund import problems
from stamkund.problems import Problem, Refused
from stamkund.rules.values import BOOLEAN, EXTERNAL_ID, ID, MOBILE, NO_CONTEXT, TEXT
from stamkund.wire.parameters import UNSET, Parameter, ParameterSet, ParsedParameters
from stamkund.wire.structures import ArrayType, MapType, ObjectType


def member(name: str, **more: Any) -> Parameter[str]:
    return Parameter(name, TEXT, "A text.", unset=False, **more)


def as_dict(members: ParsedParameters) -> dict[str, Any]:
    return {name: members[Parameter(name, TEXT, "")] for name in members.names()}


NAME, COMPANY = member("name", required_unless="company"), member("company")
ADDRESS = Parameter(
    "address", ObjectType((NAME, COMPANY, member("city", required=True)), as_dict, {}), "An address.", unset=False
)
PERMISSION: ObjectType[dict[str, Any]] = ObjectType(
    (Parameter("id", ID, "", required=True), Parameter("enabled", BOOLEAN, "", required=True)), as_dict, {}
)
PERMISSIONS = Parameter("permissions", ArrayType(PERMISSION, 3), "Permissions.")
TAGS = Parameter("tags", ArrayType(TEXT, 3, unique=True), "Tags.", unset=True)
EXTERNAL_IDS = Parameter("external_ids", MapType(EXTERNAL_ID, EXTERNAL_ID, 2, {}), "Ids.")
PHONE = Parameter("phone", MOBILE, "A number.", unset=False)
ATOMIC = Parameter("atomic", BOOLEAN, "All or nothing.", collects=True)
EVERYTHING = ParameterSet((ADDRESS, PERMISSIONS, TAGS, EXTERNAL_IDS, PHONE, ATOMIC), json=True)
ID_VALUE = "585a4768edce2c5e6f000001"


def refusal(sent: dict[str, Any], parameters: ParameterSet = EVERYTHING) -> Problem:
    with pytest.raises(Refused) as caught:
        parameters.parse(sent, NO_CONTEXT)
    return caught.value.problem


def invalid_path(sent: dict[str, Any]) -> tuple[str | None, str]:
    problem = refusal(sent)
    assert (problem.status, problem.code) == (400, "invalid_parameter")
    return problem.field, problem.message


# What is right ---------------------------------------------------------------------------------------------


def test_a_body_with_everything() -> None:
    address = {"name": "Kalle", "company": None, "city": "Umeå"}
    permissions = [{"id": ID_VALUE.upper(), "enabled": True}, {"id": ID_VALUE, "enabled": False}]
    body = {"address": address, "permissions": permissions, "tags": ["b", "a", "b"], "external_ids": {"crm": "1"}}
    parsed = EVERYTHING.parse(body, NO_CONTEXT)
    assert parsed[ADDRESS] == {"name": "Kalle", "city": "Umeå"}, "null counts as absent"
    assert parsed[PERMISSIONS] == [{"id": ID_VALUE, "enabled": True}, {"id": ID_VALUE, "enabled": False}]
    assert parsed[TAGS] == ["b", "a"], "in order, each once"
    assert parsed[EXTERNAL_IDS] == {"crm": "1"}
    assert parsed.errors is None


def test_an_empty_array_is_a_value() -> None:
    assert EVERYTHING.parse({"tags": []}, NO_CONTEXT)[TAGS] == []


def test_a_member_that_is_required_unless_another_is_there() -> None:
    assert EVERYTHING.parse({"address": {"company": "Herald", "city": "x"}}, NO_CONTEXT)[ADDRESS] == {
        "company": "Herald",
        "city": "x",
    }


# What is wrong, by its path ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"address": "x"}, "address", "Parameter must be an object"),
        ({"address": []}, "address", "Parameter must be an object"),
        ({"address": {}}, "address.name", "Parameter is required"),
        ({"address": {"name": None, "city": "x"}}, "address.name", "Parameter is required"),
        ({"address": {"name": "x"}}, "address.city", "Parameter is required"),
        ({"address": {"name": 1, "city": 1}}, "address.name", "Parameter must be a string"),
        ({"address": {"name": ["x"], "city": "x"}}, "address.name", "Parameter must be a string"),
        ({"address": {"name": "x", "city": "\n"}}, "address.city", "Parameter must not contain control characters"),
        ({"permissions": {}}, "permissions", "Parameter must be an array"),
        ({"permissions": [{}] * 4}, "permissions", "Parameter must have at most 3 items"),
        ({"permissions": [1]}, "permissions.0", "Parameter must be an object"),
        ({"permissions": [{}]}, "permissions.0.id", "Parameter is required"),
        (
            {"permissions": [{"id": ID_VALUE, "enabled": True}, {"id": "x", "enabled": 1}]},
            "permissions.1.id",
            r"Parameter must match format (/^[a-f\d]{24}$/)",
        ),
        ({"permissions": [{"id": ID_VALUE, "enabled": 1}]}, "permissions.0.enabled", "Parameter must be a boolean"),
        ({"tags": "x"}, "tags", "Parameter must be an array"),
        ({"tags": ["a", "b", "c", "d"]}, "tags", "Parameter must have at most 3 items"),
        ({"tags": ["a", "b", None]}, "tags.2", "Parameter must be a string"),
        ({"tags": ["a", "x" * 1025]}, "tags.1", "Parameter must be at most 1024 characters"),
        ({"tags": [["a"]]}, "tags.0", "Parameter must be a string"),
        ({"external_ids": ["x"]}, "external_ids", "Parameter must be an object"),
        ({"external_ids": {}}, "external_ids", "Parameter must have 1 to 2 members"),
        ({"external_ids": {"a": "1", "b": "2", "c": "3"}}, "external_ids", "Parameter must have 1 to 2 members"),
        ({"external_ids": {"": "1"}}, "external_ids", "Each key must be at least 1 characters"),
        ({"external_ids": {"x" * 60_000: "1"}}, "external_ids", "Each key must be at most 128 characters"),
        ({"external_ids": {"a\ud800": "1"}}, "external_ids", "Each key must not contain control characters"),
        ({"external_ids": {"crm": ""}}, "external_ids.crm", "Parameter must be at least 1 characters"),
        ({"external_ids": {"crm": 1}}, "external_ids.crm", "Parameter must be a string"),
        ({"external_ids": {"crm": None}}, "external_ids.crm", "Parameter must be a string"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(sent: dict[str, Any], field: str, message: str) -> None:
    assert invalid_path(sent) == (field, message)


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"address": {"b": 1, "name": 1, "a": None}}, "address.b,address.a"),
        ({"zz": 1, "address": {"b": 1}, "aa": 1}, "zz,address.b,aa"),
        ({"permissions": [{}, {"x": 1}, {"": 1}]}, "permissions.1.x,permissions.2."),
        ({"permissions": [{"x": 1}] * 9000}, "permissions.0.x,permissions.1.x,permissions.2.x"),
        ({"address": {"\ud800": 1}}, "address.?"),
        ({"tags": 1, "address": {"name": {"x": 1}}, "x": 1}, "x"),
    ],
)
def test_unknown_members_come_before_wrong_values(sent: dict[str, Any], named: str) -> None:
    problem = refusal(sent)
    assert problem == problems.unknown_parameters([named])


# Emptying --------------------------------------------------------------------------------------------------


def test_unset_empties_what_supports_it() -> None:
    parsed = EVERYTHING.parse({"tags": UNSET}, NO_CONTEXT)
    assert TAGS in parsed and parsed.get(TAGS) is None


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"phone": UNSET}, "phone"),
        ({"address": UNSET}, "address"),
        ({"address": {"name": "x", "city": UNSET}}, "address.city"),
    ],
)
def test_unset_is_refused_elsewhere(sent: dict[str, Any], path: str) -> None:
    problem = refusal(sent)
    assert (problem.status, problem.code, problem.field, problem.message) == (
        400,
        "unset_error",
        path,
        "Parameter does not support __UNSET__",
    )


# Collecting ------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_collected_on_request() -> None:
    sent = {"atomic": False, "phone": "x", "address": {"name": "x"}, "tags": ["a"]}
    parsed = EVERYTHING.parse(sent, NO_CONTEXT)
    assert list(parsed.names()) == ["tags", "atomic"]
    assert parsed.errors is not None
    assert [error.field for error in parsed.errors] == ["address.city", "phone"], "in the order of the document"


@pytest.mark.parametrize("atomic", [{}, {"atomic": True}, {"atomic": None}])
def test_nothing_is_collected_otherwise(atomic: dict[str, Any]) -> None:
    assert refusal({"phone": "x", **atomic}).field == "phone"


def test_what_decides_whether_to_collect_is_never_collected() -> None:
    assert refusal({"phone": "0701234567", "atomic": "false"}).field == "atomic"


def test_a_required_parameter_is_never_collected() -> None:
    parameters = ParameterSet((Parameter("id", ID, "", required=True), PHONE, ATOMIC), json=True)
    assert refusal({"atomic": False}, parameters).message == "Parameter is required"
    assert refusal({"atomic": False, "id": "x", "phone": "x"}, parameters).field == "id"
    assert refusal({"atomic": False, "id": ID_VALUE, "x": 1}, parameters).code == "unknown_parameter"
