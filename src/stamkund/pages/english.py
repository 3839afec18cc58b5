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
    one_left="You can try once more before logging in is locked for a while.",
    some_left="You can try {} more times before logging in is locked for a while.",
    frozen="Logging in is locked until {}, after too many failed attempts.",
    email_missing="Write your e-mail.",
    password_missing="Write your password.",  # noqa: S106
    try_again="That took too long, or the form came from elsewhere. Please try again.",
    logged_in="You are logged in",
    logged_in_note="You can close this page and read on.",
    log_out="Log out",
    log_out_question="Do you want to log out? You will be logged out everywhere in this browser.",
    log_out_button="Log out",
    logged_out="You are logged out",
    logged_out_note="You can close this page now.",
    not_logged_in="You are not logged in",
    not_logged_in_note="So there is nothing to log out from.",
    log_in_again="Log in",
    details="Details:",
    refused={
        "": ("Something went wrong", "Please go back and try again."),
        "invalid_parameter": ("This link does not work", "Please go back to where you came from and try again."),
        "invalid_request": ("This link does not work", "Please go back to where you came from and try again."),
        "invalid_continue": ("This link does not work", "The address that you should go on to is none that we know."),
        "organisation_required": ("This link does not work", "It is not clear whose page you want."),
        "invalid_client": ("This link does not work", "The site or app that sent you here is not known to us."),
        "invalid_organisation": (
            "This link does not work",
            "The site or app that sent you here belongs elsewhere.",
        ),
        "invalid_redirect_uri": (
            "This link does not work",
            "The site or app that sent you here wants you back at an address that it may not use.",
        ),
        "payload_too_large": ("That was too much", "Please go back and write less."),
        "too_many_requests": ("One moment, please", "There have been too many attempts. Try again in a minute."),
        "service_unavailable": ("One moment, please", "This does not work right now. Try again shortly."),
        "internal_server_error": ("Something went wrong", "The fault is ours. Try again in a while."),
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
