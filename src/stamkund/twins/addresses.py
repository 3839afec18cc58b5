"""Addresses as calls take them: that of the first versions, and the Payway Address of the later ones.

An address is replaced as a whole. Sources: the documentation pages "Update account" (v1) and "Payway Address"; wire
contract, section 6.
"""

from __future__ import annotations

from typing import Any

from stamkund.rules import account_values, values
from stamkund.rules.account import Address
from stamkund.rules.values import ValueType
from stamkund.wire.parameters import Parameter, ParsedParameters
from stamkund.wire.structures import ObjectType


def _member(name: str, note: str, value_type: ValueType[str] = values.TEXT, **more: Any) -> Parameter[str]:
    return Parameter(name, value_type, note, unset=False, **more)


_BUILDING = _member("building", "Another name of `street_number`, which counts where both are given.")
_STREET_NUMBER = _member("street_number", "Number of the house.")
_ZIP_CODE = _member("zip_code", "Zip code.", account_values.ADDRESS_ZIP_CODE, required=True)
_CITY = _member("city", "City.", required=True)
_STREET = _member("street", "Street.", required=True)
_STAIRCASE = _member("staircase", "Staircase.")
_FLOOR = _member("floor", "Floor.")
_APARTMENT = _member("apartment", "Apartment.")
_APARTMENT_NUMBER = _member("apartment_number", "Number of the apartment.")
_MOBILE = _member("mobile_number", "Mobile phone number at this address.")
_PHONE = _member("phone_number", "Phone number at this address.")
_DROP_BOX = _member("drop_box", "Post office box.")
_CARE_OF = _member("care_of", "Care of.")

_OLDER_MEMBERS = (
    _member("first_name", "First name.", required=True),
    _member("last_name", "Last name.", required=True),
    _STREET,
    _BUILDING,
    _member("country_code", "Country: SE, FI or AX.", account_values.OLDER_COUNTRY, required=True),
    _ZIP_CODE,
    _CITY,
    _STREET_NUMBER,
    _STAIRCASE,
    _FLOOR,
    _APARTMENT_NUMBER,
    _MOBILE,
    _PHONE,
    _member("citizenship_country_code", "Country of citizenship.", account_values.COUNTRY),
    _DROP_BOX,
    _CARE_OF,
    _APARTMENT,
)
_MEMBERS = (
    _member("first_name", "First name. Required unless there is a company's name.", required_unless="company_name"),
    _member("last_name", "Last name. Required unless there is a company's name.", required_unless="company_name"),
    _STREET,
    _ZIP_CODE,
    _CITY,
    _member("country_code", "Country (ISO 3166-1).", account_values.COUNTRY, required=True),
    _STREET_NUMBER,
    _STAIRCASE,
    _FLOOR,
    _APARTMENT,
    _APARTMENT_NUMBER,
    _MOBILE,
    _PHONE,
    _member("contact_email", "E-mail at this address.", values.EMAIL),
    _DROP_BOX,
    _CARE_OF,
    _member("company_name", "The company's name."),
    _member("company_department", "Department."),
    _member("company_reference", "The company's reference."),
    _member("company_crn", "The company's registration number."),
    _member("company_vat_number", "The company's VAT number."),
    _member("citizenship_country_code", "Country of citizenship (ISO 3166-1).", account_values.COUNTRY),
)


def _older_address(members: ParsedParameters) -> Address:
    fields = {one.name: members.get(one) for one in _OLDER_MEMBERS if one is not _BUILDING}
    if _STREET_NUMBER not in members:
        fields["street_number"] = members.get(_BUILDING)
    return Address(**fields)


def _address(members: ParsedParameters) -> Address:
    return Address(**{one.name: members.get(one) for one in _MEMBERS})


_EXAMPLE = {
    "first_name": "Kalle",
    "last_name": "Anka",
    "street": "The Streets",
    "country_code": "SE",
    "zip_code": "83242",
    "city": "Stockholm",
}
OLDER_ADDRESS = Parameter(
    "address",
    ObjectType(_OLDER_MEMBERS, _older_address, {**_EXAMPLE, "building": "12"}),
    "The address, which replaces the one before as a whole.",
    unset=False,
)
PAYWAY_ADDRESS = Parameter(
    "address",
    ObjectType(_MEMBERS, _address, {**_EXAMPLE, "street_number": "12"}),
    "The address (Payway Address), which replaces the one before as a whole.",
    unset=False,
)
