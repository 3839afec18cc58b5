"""What each column may hold. Values come from other systems, so some are less restricted than the API's parameters.

Every check returns the text to store, or None where the text says that there is no value (`texts`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from stamkund.identity import imported_hashes
from stamkund.importing.dates import CACHE_SIZE
from stamkund.importing.texts import NOTHING, trimmed
from stamkund.rules import values
from stamkund.rules.emails import MAX_EMAIL_LENGTH
from stamkund.rules.subscription import STATES, TYPES
from stamkund.rules.values import NO_CONTEXT, Invalid, ValueType

ColumnCheck = Callable[[str], str | None]
"""Returns the text to store. Raises Invalid."""

_MAX_NAME = 1024
_SUSPECT_STARTS = frozenset({"", " ", *(text[0] for text in NOTHING)})
"""How a text begins that may say that there is no value."""
_EMAIL_FAST = re.compile(r"[a-zA-Z0-9_+.-]{1,64}@[a-zA-Z0-9-]{1,63}\.[a-zA-Z]{1,63}")
# What other systems take for an address: any character that needs no quotation marks, and a domain in any script. No
# two neighbouring parts share a character, so matching takes linear time.
_EMAIL = re.compile(r"""[^\s@,;:<>()\[\]\\"]{1,128}@[\w-]+(?:\.[\w-]+)+""")
# What a value begins with that is a hash of a kind. A password in plain text must show nothing of itself, so the names
# of kinds are written out.
_MARKED = "1 2 2a 2b 2x 2y 3 5 6 7 A B H P S apr1 gy md5 md5-crypt ml sha1 sha256 sha512 sm3 wp y"
_BRACED = (
    "blf-crypt clear cleartext cram-md5 crypt des-crypt digest-md5 hmac-md5 lanman ldap ldap-md5 lm md4 md5-crypt noop "
    "nt ntlm otp pkcs5s2 plain plain-md4 plain-md5 scram-sha-1 scram-sha-256 sha256-crypt sha512-crypt skey smd5 "
    "ssha ssha1 ssha224 ssha256 ssha384 ssha512"
)
_ANYWHERE = (
    "argon2 argon2d argon2i argon2id bcrypt bcrypt-sha256 bcrypt_sha256 crypt firescrypt hmac-sha256 md5 pbkdf2 "
    "pbkdf2-sha1 pbkdf2-sha256 pbkdf2-sha512 pbkdf2_sha1 pbkdf2_sha256 pbkdf2_sha512 scrypt sha sha-1 sha-256 sha-512 "
    "sha1 sha224 sha256 sha384 sha512"
)


def _one_of(*names: str) -> str:
    return "|".join(sorted(map(re.escape, " ".join(names).split()), key=len, reverse=True))


_HASH_FORM = re.compile(
    rf"\{{(?i:{_one_of(_BRACED, _ANYWHERE)})(?:[.](?i:hex|b64)|@SpringSecurity_v\d_\d{{1,2}})?\}}"
    rf"(?:\$(?:{_one_of(_MARKED, _ANYWHERE)})\$)?"
    rf"|\$(?:{_one_of(_MARKED, _ANYWHERE)})\$|(?:{_one_of(_ANYWHERE)})[$:]"
)
_DIGITS = re.compile(r"[0-9a-fA-F]{32,128}")


def text_check(max_length: int) -> ColumnCheck:
    """Free text up to this size, on one line."""

    def check(text: str) -> str | None:
        if len(text) <= max_length and text[:1] not in _SUSPECT_STARTS and text[-1:] != " " and text.isprintable():
            return text
        return _cleaned(text, max_length)

    return check


def _cleaned(text: str, max_length: int) -> str | None:
    clean = trimmed(text)
    if clean is not None and len(clean) > max_length:
        raise Invalid(f"must be at most {max_length} characters")
    return clean


def are_names(texts: Collection[str | None]) -> bool:
    """Whether `NAME` accepts all of these texts as they are, decided together: False may be wrong, True is not."""
    together = "|".join(filter(None, texts))
    return (
        len(together) <= _MAX_NAME
        and together.isprintable()
        and " |" not in together
        and "| " not in together
        and not together.startswith(" ")
        and not together.endswith(" ")
        and NOTHING.isdisjoint(texts)
    )


def value_check(value_type: ValueType[str], fast_path: str = r"(?!)") -> ColumnCheck:
    """Text of one of the API's value types. Text that matches `fast_path` is accepted without further parsing."""
    is_accepted = re.compile(fast_path).fullmatch

    def check(text: str) -> str | None:
        if is_accepted(text) and text not in NOTHING:
            return text
        clean = trimmed(text)
        return None if clean is None else value_type.parse(clean, NO_CONTEXT)

    return check


def choice_check(allowed: tuple[str, ...]) -> ColumnCheck:
    def check(text: str) -> str | None:
        clean = trimmed(text)
        if clean is not None and (clean := clean.lower()) not in allowed:
            raise Invalid(f"must be one of {', '.join(allowed)}")
        return clean

    return check


def _email(text: str) -> str | None:
    if _EMAIL_FAST.fullmatch(text):
        return text
    clean = _cleaned(text, MAX_EMAIL_LENGTH)
    if clean is None or _EMAIL.fullmatch(clean):
        return clean
    raise Invalid("must be one e-mail address" if clean.count("@") > 1 else "must be an e-mail address")


def can_log_in_with(email: str) -> bool:
    """Whether the API takes the e-mail, so that somebody can log in with it."""
    try:
        return values.EMAIL.parse(email, NO_CONTEXT) is not None
    except Invalid:
        return False


def _password_hash(text: str) -> str | None:
    clean = trimmed(text) if len(text) <= _MAX_NAME else text
    if clean is None:
        return None
    imported = imported_hashes.parsed(clean)
    if imported is None:
        form = _HASH_FORM.match(clean)
        kind = f" (it begins with {form[0]})" if form else ""
        if _DIGITS.fullmatch(clean):
            kind = f" (it is {len(clean)} hexadecimal digits)"
        raise Invalid(f"must be a password hash of a supported kind{kind}")
    if not imported.is_affordable:
        raise Invalid("must be a password hash that takes less time and memory to verify")
    return clean


def needs_firebase(password_hash: str) -> bool:
    """Whether a hash can be verified only with the key of its Firebase project."""
    imported = imported_hashes.parsed(password_hash)
    return imported is not None and imported.needs_firebase


def weak_scheme(password_hash: str) -> str | None:
    """The scheme of a hash that is weak; None for one that is not."""
    imported = imported_hashes.parsed(password_hash)
    return imported.scheme if imported is not None and imported.is_weak else None


CUSTOMER_NUMBER = value_check(values.TULO_CUSTOMER_NUMBER, "[a-zA-Z0-9_-]{1,50}")
NAME = text_check(_MAX_NAME)
EXTERNAL_ID = text_check(128)

CUSTOMER: tuple[tuple[str, ColumnCheck], ...] = (
    ("email", _email),
    ("first_name", NAME),
    ("last_name", NAME),
    ("mobile_phone_number", NAME),
    ("zip_code", NAME),
    ("company_name", NAME),
    ("company_registration_number", text_check(50)),
    ("password_hash", _password_hash),
)
"""The columns of a customer that hold text and can be checked without looking at any other column."""

PACKAGE_CODE = lru_cache(CACHE_SIZE)(value_check(values.PRODUCT_CODE))
TITLE_CODE = lru_cache(CACHE_SIZE)(text_check(15))
SUBSCRIPTION_NUMBER = text_check(50)
SUBSCRIPTION_TYPE = lru_cache(CACHE_SIZE)(choice_check(TYPES))
STATE = lru_cache(CACHE_SIZE)(choice_check(STATES))
SERVICE = lru_cache(CACHE_SIZE)(NAME)

ENTITLING: tuple[tuple[str, ColumnCheck], ...] = (
    ("package_code", PACKAGE_CODE),
    ("title_code", TITLE_CODE),
    ("subscription_number", SUBSCRIPTION_NUMBER),
    ("state", STATE),
)
"""The columns of a subscription that say which it is and what it entitles to: a wrong one refuses the subscription."""
DECORATING: tuple[tuple[str, ColumnCheck], ...] = (
    ("subscription_type", SUBSCRIPTION_TYPE),
    ("provision_service", SERVICE),
)
"""The others, which are left out where they can't be used."""


def reason_of(error: Invalid) -> str:
    """The reason to report with a column: the API's sentence without its subject."""
    return str(error).removeprefix("Parameter ")
