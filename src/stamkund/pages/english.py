"""The pages in English."""

from __future__ import annotations

from stamkund.pages.texts import Texts

ENGLISH = Texts(
    language="en",
    error="Error",
    log_in="Log in",
    email="E-mail",
    password="Password",  # noqa: S106
    log_in_button="Log in",
    wrong="Wrong e-mail or password.",
    one_left="You have one attempt left before logging in is locked for a while.",
    some_left="You have {} attempts left before logging in is locked for a while.",
    locked="Too many failed attempts. Logging in is locked until {}.",
    email_missing="Enter your e-mail address.",
    password_missing="Enter your password.",  # noqa: S106
    try_again="The form has expired or was sent from another site. Please try again.",
    no_cookies="Your browser sent no cookies, which logging in needs. Allow cookies for this site and try again.",
    logged_in="You are logged in",
    logged_in_note="You can close this page and continue reading.",
    log_out="Log out",
    log_out_question="Do you want to log out? You will be logged out of all our sites in this browser.",
    log_out_button="Log out",
    logged_out="You are logged out",
    logged_out_note="You can close this page now.",
    not_logged_in="You are not logged in",
    not_logged_in_note="There is nothing to log out of.",
    leads_nowhere="You will not be sent on: the address that the site or app gave us is not registered.",
    log_in_again="Log in",
    details="Details:",
    refusals={
        "": ("Something went wrong", "Please go back and try again."),
        "invalid_parameter": ("This link does not work", "Please go back to where you came from and try again."),
        "invalid_request": ("This link does not work", "Please go back to where you came from and try again."),
        "invalid_continue": ("This link does not work", "We don't recognise the address that you were being sent to."),
        "organisation_required": ("This link does not work", "The link does not say which publisher it belongs to."),
        "invalid_client": ("This link does not work", "We don't recognise the site or app that sent you here."),
        "invalid_organisation": (
            "This link does not work",
            "The site or app that sent you here belongs to another publisher.",
        ),
        "invalid_redirect_uri": (
            "This link does not work",
            "The site or app that sent you here wants to send you on to an address that is not registered for it.",
        ),
        "payload_too_large": ("Too much text", "Please go back and shorten what you entered."),
        "too_many_requests": ("One moment, please", "There have been too many attempts. Please try again in a minute."),
        "service_unavailable": ("One moment, please", "This is not available right now. Please try again shortly."),
        "internal_server_error": ("Something went wrong", "This is our fault. Please try again in a while."),
    },
    at="{weekday} {day} {month} {year} at {hour}:{minute}",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
)
