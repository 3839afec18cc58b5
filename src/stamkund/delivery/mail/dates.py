"""Dates and times in mails, as people write them in each language."""

from __future__ import annotations

from datetime import datetime

from stamkund.rules.mail import ENGLISH, FINNISH, SWEDISH

_DAYS = {
    SWEDISH: "måndag tisdag onsdag torsdag fredag lördag söndag",
    ENGLISH: "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    FINNISH: "maanantaina tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina",
}
_MONTHS = {
    SWEDISH: "januari februari mars april maj juni juli augusti september oktober november december",
    ENGLISH: "January February March April May June July August September October November December",
    FINNISH: "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta "
    "lokakuuta marraskuuta joulukuuta",
}
_FORMS = {
    SWEDISH: "{weekday} {day} {month} kl. {hour:02}.{minute:02}",
    ENGLISH: "{weekday} {day} {month} at {hour:02}:{minute:02}",
    FINNISH: "{weekday} {day}. {month} klo {hour}.{minute:02}",
}


def day_and_time(when: datetime, language: str) -> str:
    """`torsdag 15 januari kl. 13.00`: what is near needs no year."""
    return _FORMS[language].format(
        weekday=_DAYS[language].split()[when.weekday()],
        day=when.day,
        month=_MONTHS[language].split()[when.month - 1],
        hour=when.hour,
        minute=when.minute,
    )
