"""The names of columns: ours, in any case, those of Swedish registers, and those that `--columns` gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from stamkund.importing.raw import ADDRESS_KEYS, RawCustomer, RawSubscription, RawSubscriptionLine
from stamkund.importing.report import CannotRun

_SWEDISH = {
    "customer_number": "kundnummer kundnr kundid prenumerantnummer prenumerantnr",
    "previous_customer_number": "tidigarekundnummer tidigarekundnr gammaltkundnummer gammaltkundnr",
    "social_security_number": "personnummer personnr pnr",
    "email": "epost epostadress mejl mejladress mail mailadress emailadress",
    "first_name": "förnamn tilltalsnamn",
    "last_name": "efternamn",
    "mobile_phone_number": "mobil mobilnummer mobilnr mobiltelefon mobiltelefonnummer",
    "zip_code": "postnummer postnr",
    "birth_date": "födelsedatum födelsedag",
    "company_name": "företag företagsnamn",
    "company_registration_number": "organisationsnummer organisationsnr orgnummer orgnr",
    "address.street": "gata gatuadress adress",
    "address.street_number": "gatunummer gatunr",
    "address.staircase": "uppgång trappuppgång",
    "address.floor": "våning våningsplan",
    "address.apartment_number": "lägenhetsnummer lägenhetsnr lgh lghnr",
    "address.city": "ort postort stad",
    "address.drop_box": "box postbox",
    "address.country_code": "landskod",
    "package_code": "paket paketkod produktpaket",
    "title_code": "titel titelkod",
    "valid_from": "giltigfrån gällerfrån frånochmed from startdatum",
    "valid_to": "giltigtill gällertill tillochmed tom slutdatum",
    "subscription_number": "prenumerationsnummer prenumerationsnr prennr prennummer",
    "subscription_type": "prenumerationstyp",
    "state": "prenumerationsstatus",
}
_OTHER_NAMES = {name: ours for ours, names in _SWEDISH.items() for name in names.split()}
REASON = "reason"
"""The column that `--rejects` adds. It is left out, so that a corrected file can be imported as it is."""
CUSTOMER_COLUMNS = (
    *RawCustomer.__struct_fields__,
    *(f"address.{key}" for key in ADDRESS_KEYS),
    *RawSubscription.__struct_fields__,
)
LINE_COLUMNS = RawSubscriptionLine.__struct_fields__
_ALL = tuple(dict.fromkeys((*CUSTOMER_COLUMNS, *LINE_COLUMNS)))
_MARKS = re.compile(r"[\s_.\-/]+")
_EXTERNAL_ID = "identity_mapping."
_MAX_CACHED, _LONGEST_CACHED = 1000, 200
"""How many names are kept with ours, and how long one may be: each row of JSON Lines has the same again."""


def _plain(name: str) -> str:
    return _MARKS.sub("", name.casefold())


class ColumnNames:
    """Finds our name of a column. `chosen`: names of the file by ours; an empty one leaves the column out."""

    def __init__(self, chosen: Mapping[str, str], names: Iterable[str]) -> None:
        self._chosen = {REASON: "", **{name.strip().casefold(): ours for name, ours in chosen.items()}}
        self._names = _OTHER_NAMES | {_plain(name): name for name in names}
        self._cached = lru_cache(_MAX_CACHED)(self._ours)

    def ours(self, name: str) -> str:
        """Our name of a column; one that nobody knows as it stands; empty for one to be left out."""
        return self._cached(name) if len(name) <= _LONGEST_CACHED else self._ours(name)

    def _ours(self, name: str) -> str:
        name = name.strip()
        ours = self._chosen.get(name.casefold())
        if ours is not None:
            return ours
        if name[: len(_EXTERNAL_ID)].casefold() == _EXTERNAL_ID:
            return _EXTERNAL_ID + name[len(_EXTERNAL_ID) :]
        return self._names.get(_plain(name), name)

    def is_left_out(self, name: str) -> bool:
        """Whether `--columns` says to leave the column out."""
        return self._chosen.get(name.strip().casefold()) == ""


def parsed_columns(texts: Iterable[str]) -> dict[str, str]:
    """The columns of `--columns`: `THEIRS=OURS`, separated by commas. Raises CannotRun."""
    columns: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        theirs, mark, ours = part.rpartition("=")
        if not mark or not theirs.strip():
            raise CannotRun("--columns is a list such as Kundnr=customer_number,Notering= (nothing: left out).")
        ours = ours.strip()
        if ours and ours not in _ALL and not ours.startswith(_EXTERNAL_ID):
            raise CannotRun(f"--columns names {ours[:60]!r}, which is no column. There are: {', '.join(_ALL)}.")
        columns[theirs.strip()] = ours
    return columns
