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
    one_left="Du har ett försök kvar innan inloggningen spärras en tid.",
    some_left="Du har {} försök kvar innan inloggningen spärras en tid.",
    locked="För många misslyckade försök. Inloggningen är spärrad till {}.",
    email_missing="Ange din e-postadress.",
    password_missing="Ange ditt lösenord.",  # noqa: S106
    try_again="Formuläret har gått ut eller skickats från en annan webbplats. Försök igen.",
    no_cookies="Din webbläsare skickade inga kakor (cookies), och utan dem går det inte att logga in. "
    "Tillåt kakor för den här webbplatsen och försök igen.",
    logged_in="Du är inloggad",
    logged_in_note="Du kan stänga sidan och läsa vidare.",
    log_out="Logga ut",
    log_out_question="Vill du logga ut? Du loggas ut från alla våra webbplatser i den här webbläsaren.",
    log_out_button="Logga ut",
    logged_out="Du är utloggad",
    logged_out_note="Nu kan du stänga sidan.",
    not_logged_in="Du är inte inloggad",
    not_logged_in_note="Det finns inget att logga ut från.",
    leads_nowhere="Du skickas inte vidare: adressen som webbplatsen eller appen angav är inte registrerad.",
    log_in_again="Logga in",
    details="Detaljer:",
    refusals={
        "": ("Något gick fel", "Gå tillbaka och försök igen."),
        "invalid_parameter": ("Länken fungerar inte", "Gå tillbaka dit du kom ifrån och försök igen."),
        "invalid_request": ("Länken fungerar inte", "Gå tillbaka dit du kom ifrån och försök igen."),
        "invalid_continue": ("Länken fungerar inte", "Vi känner inte igen adressen som du skulle skickas vidare till."),
        "organisation_required": ("Länken fungerar inte", "Länken säger inte vilken utgivare den hör till."),
        "invalid_client": ("Länken fungerar inte", "Vi känner inte igen webbplatsen eller appen som skickade dig hit."),
        "invalid_organisation": (
            "Länken fungerar inte",
            "Webbplatsen eller appen som skickade dig hit tillhör en annan utgivare.",
        ),
        "invalid_redirect_uri": (
            "Länken fungerar inte",
            "Webbplatsen eller appen som skickade dig hit vill skicka dig till en adress som inte är registrerad.",
        ),
        "payload_too_large": ("För mycket text", "Gå tillbaka och korta ner det du skrev."),
        "too_many_requests": ("Ett ögonblick", "Det har varit för många försök. Försök igen om en minut."),
        "service_unavailable": ("Ett ögonblick", "Det fungerar inte just nu. Försök igen om en stund."),
        "internal_server_error": ("Något gick fel", "Felet ligger hos oss. Försök igen om en stund."),
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
