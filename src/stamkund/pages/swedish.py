"""The pages in Swedish."""

from __future__ import annotations

from stamkund.pages.texts import Texts

SWEDISH = Texts(
    language="sv",
    error="Fel",
    log_in="Logga in",
    email="E-post",
    password="Lösenord",  # noqa: S106
    log_in_button="Logga in",
    wrong="Fel e-post eller lösenord.",
    one_left="Du kan försöka en gång till innan inloggningen spärras en tid.",
    some_left="Du kan försöka {} gånger till innan inloggningen spärras en tid.",
    frozen="Inloggningen är spärrad till {}, efter för många misslyckade försök.",
    email_missing="Skriv din e-postadress.",
    password_missing="Skriv ditt lösenord.",  # noqa: S106
    try_again="Det tog för lång tid, eller så kom formuläret någon annanstans ifrån. Försök igen.",
    logged_in="Du är inloggad",
    logged_in_note="Du kan stänga sidan och läsa vidare.",
    log_out="Logga ut",
    log_out_question="Vill du logga ut? Du loggas ut överallt i den här webbläsaren.",
    log_out_button="Logga ut",
    logged_out="Du är utloggad",
    logged_out_note="Nu kan du stänga sidan.",
    not_logged_in="Du är inte inloggad",
    not_logged_in_note="Det finns alltså inget att logga ut från.",
    log_in_again="Logga in",
    details="Detaljer:",
    refused={
        "": ("Något gick fel", "Gå tillbaka och försök igen."),
        "invalid_parameter": ("Länken fungerar inte", "Gå tillbaka dit du kom ifrån och försök igen."),
        "invalid_request": ("Länken fungerar inte", "Gå tillbaka dit du kom ifrån och försök igen."),
        "invalid_continue": ("Länken fungerar inte", "Vi känner inte till adressen som du skulle vidare till."),
        "organisation_required": ("Länken fungerar inte", "Det framgår inte vems sida du vill till."),
        "invalid_client": ("Länken fungerar inte", "Vi känner inte till webbplatsen eller appen som skickade dig hit."),
        "invalid_organisation": ("Länken fungerar inte", "Webbplatsen eller appen som skickade dig hit hör inte hit."),
        "invalid_redirect_uri": (
            "Länken fungerar inte",
            "Webbplatsen eller appen som skickade dig hit vill ha dig tillbaka på en adress som den inte får använda.",
        ),
        "payload_too_large": ("Det var för mycket", "Gå tillbaka och skriv mindre."),
        "too_many_requests": ("Ett ögonblick", "Det har varit för många försök. Försök igen om en minut."),
        "service_unavailable": ("Ett ögonblick", "Det fungerar inte just nu. Försök igen om en stund."),
        "internal_server_error": ("Något gick fel", "Felet är vårt. Försök igen om en stund."),
    },
    at="{weekday} {day} {month} {year} kl. {hour}.{minute}",
    weekdays=("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    months=(
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ),
)
