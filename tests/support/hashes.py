"""Hashes that other systems made of known passwords, one or more of each form that can be imported.

They come from the tests or documents of the system itself, or were made by its own library; none was made by the code
under test. All are cheap to verify, but for those whose cost is part of the form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

PASSWORD = "Df7Vdd8!!vnM"
PEPPER = "0123456789abcdef"
PEPPERED = "$2y$04$HirheEH8bCP/UYLZcc8ZyOdpxywbniPRKUL5Tf16wDULej55knz5W"
"""Of the password and the pepper, as Devise appends it. PHP 8.2, password_hash."""

# The example in the README of github.com/firebase/scrypt.
FIREBASE_KEY = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
FIREBASE_PASSWORD = "user1password"
FIREBASE = (
    "$firescrypt$42xEC+ixf3L2lw=="
    "$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)


@dataclass(frozen=True)
class Vector:
    """`form`: unique. `weak`: the scheme by which reports count it, None where it is not weak."""

    form: str
    text: str
    password: str = PASSWORD
    weak: str | None = None


def _keycloak(value: str, salt: str, algorithm: str, rounds: int, **parameters: str) -> str:
    """A credential as Keycloak exports it."""
    additional = {key: [one] for key, one in parameters.items()}
    secret = {"value": value, "salt": salt, "additionalParameters": {}}
    data = {"hashIterations": rounds, "algorithm": algorithm, "additionalParameters": additional}
    parts = {
        key: json.dumps(one, separators=(",", ":")) for key, one in (("secretData", secret), ("credentialData", data))
    }
    return json.dumps({"type": "password", "createdDate": 1727263188670, **parts})


_NODE_SALT = "TmFDbE5hQ2xOYUNsTmFDbA=="

VECTORS = [
    # PHP 8.2: password_hash and crypt.
    Vector("bcrypt 2y", "$2y$04$UADUV4E93u7ww8pv1NVuY.W4K6UGXUHi5E36HUAEYwEiAy6oLZUeK", weak="bcrypt"),
    Vector("WordPress 6.8", "$wp$2y$04$CnAeOyjrWWgs9H8GkVtF1e6Lj1AhYDl1joFrsItS2u5G6CFlleSq2", weak="bcrypt"),
    Vector("Joomla", "5379e2b161f36ac212b6034b4292152d:NaClNaClNaClNaCl", weak="MD5"),
    Vector("LDAP {CRYPT} DES", "{CRYPT}Na8fAUUVC3KLg", weak="DES crypt"),
    Vector("md5-crypt", "$1$NaClNaCl$pOISt4H92AdE7.sMeUWS4.", weak="md5-crypt"),
    Vector("sha256-crypt", "$5$rounds=1000$NaClNaCl$V/P.VuniUh9.KkUAv5VrZjaO7uJBUy1J1591voL4Ul7", weak="sha256-crypt"),
    # openssl passwd
    Vector("apr1", "$apr1$NaClNaCl$ZvssGdFjHSdtcwlk07AoD0", weak="md5-crypt"),
    Vector(
        "sha512-crypt",
        "$6$NaClNaCl$OKBJyZmlmj7hb3JXS2Qp7JBaKBdakMQP8x3TzjIS9eeCVgnJmwVbkUWX5Hk3/GnYMBkhK0MZ.RO1l.hLIYgCp0",
        weak="sha512-crypt",
    ),
    # A WordPress site of a public example, whose password is its user's name.
    Vector("WordPress 6.8 site", "$wp$2y$10$Q1xinFjrZeLWJBvxviIL6u834Fu.evIEFHAUVisQ5O.w9Dm0sMdES", "admin"),
    # Django 5.2
    Vector("Django bcrypt", "bcrypt$$2b$04$56qDXvvXMiyQYk5sXDope.nG89m4Vh7A4gQPPTLl3.TR7y/1Il4ua", weak="bcrypt"),
    Vector(
        "Django bcrypt_sha256",
        "bcrypt_sha256$$2b$04$L4H4bFBgd3Udz7SmOwStO.KxcLma6wklXWsChpdUF7/gx9IFpOvSm",
        weak="bcrypt",
    ),
    Vector(
        "Django argon2",
        "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$vFamwbbnb4G6Xl7m/LDIysSRdxzbMWnfjwUmvlIE350",
        weak="Argon2",
    ),
    Vector(
        "Django scrypt",
        "scrypt$16$NaClNaClNaCl$8$5$m7r0PFQH9yvPlkh93iDjSO98aqqbYy0nCHsgHBGLQkvzBZ3jaJ6vI2q4kJH5za2k4EyCVPVZ7vIk4zyQ6GcqDg==",
        weak="scrypt",
    ),
    Vector(
        "Django pbkdf2_sha256",
        "pbkdf2_sha256$10$NaClNaCl$6Fzq2AKGgX8rgjgHQUMwDSGq0Zb+YIEYS8N85IgRY44=",
        weak="PBKDF2-SHA256",
    ),
    Vector("Django pbkdf2_sha1", "pbkdf2_sha1$10$NaClNaCl$xBI4TGm4JJYVA6bTKO2KIglJsMk=", weak="PBKDF2-SHA1"),
    Vector("Django md5", "md5$NaClNaCl$8c127de63cd4f8730e37265a416da968", weak="MD5"),
    # Werkzeug 3.1
    Vector(
        "Werkzeug pbkdf2",
        "pbkdf2:sha256:10$JYEh8Y3SxNbI$e5b76d2ef561431df3749965ffbcfcff1cafb048f85180248638b23071a3e97f",
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "Werkzeug scrypt",
        "scrypt:1024:8:1$0uA9VxQoNC8O$4bc43c920c0c2d9a0ebe79df5010db7b905df9ba59bbf33442518fc34d94086219b1933b9b2114ae78d"
        "054dcf45a616131e6301dbfb4e543eee3f16123457300",
        weak="scrypt",
    ),
    # libpass 1.9
    Vector(
        "libpass bcrypt-sha256",
        "$bcrypt-sha256$v=2,t=2b,r=4$a4ys3zrtJ13od6VFAKyCfe$IzpgOCXYEvXra1I5A.9K5nYujgrM2Vi",
        weak="bcrypt",
    ),
    Vector(
        "libpass bcrypt-sha256, first version",
        "$bcrypt-sha256$2b,4$dsQDNMieu9Qci6MjNOxnwO$DayAp.tum57VaLEY359knKSqLuTcD2q",
        weak="bcrypt",
    ),
    Vector(
        "libpass scrypt",
        "$scrypt$ln=4,r=8,p=1$kzIGQAhhTEkpxfh/D2HM+Q$KUXSY6xvnhH99wBOv65NaPjeNxp8UOkSMIdPIM2txOo",
        weak="scrypt",
    ),
    Vector(
        "scrypt $7$", "$7$26..../....1tr7v7eW8r4X4jzHmPN+7w$DqN1YVGZCsbXjRwCJEkdzRC6z3S0kwloawkta6.gqjA", weak="scrypt"
    ),
    Vector("libpass pbkdf2", "$pbkdf2$10$1rrXGmMs5Xxv7R2D8N57Tw$..UZxWo0esTyBEwpfTtg7PIEfVk", weak="PBKDF2-SHA1"),
    Vector(
        "libpass pbkdf2-sha256",
        "$pbkdf2-sha256$10$hjAmZAwhhNC617r3/h.j9A$UAfHM0LEh4pDxUOVnGDSkO5OoxeUwIzwunhCrIo1xqA",
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "libpass pbkdf2-sha512",
        "$pbkdf2-sha512$10$XYtxjhECQGgN4dxb6/0/Rw$lorBFDtE5vQYfQtAWJQm/C3FrefYSJIyF/.WQKlCSLwhPBZM8u0URHIfD8HHA/1iCj0wYSV"
        "CxKHXw5nhmG62hw",
        weak="PBKDF2-SHA512",
    ),
    Vector(
        "LDAP {PBKDF2-SHA256}",
        "{PBKDF2-SHA256}10$JaRUSgmhVIpxrrWWcs4ZIw$5aYD0Y84xO8t6u1xgSDnLgfaDK2ccqQAjKf1aTTZHLI",
        weak="PBKDF2-SHA256",
    ),
    Vector("LDAP {PBKDF2}", "{PBKDF2}10$2puz1vqfs7Z2jvFeq5WS0g$3/xI0vfbiRSdq5aTLlbCgvpg2jo", weak="PBKDF2-SHA1"),
    Vector("LDAP {MD5}", "{MD5}GosULiY1zBTBP81+Q/Yjjg==", weak="MD5"),
    Vector("LDAP {SMD5}", "{SMD5}g0pnSZEXN/SRs4LHxfvkSUupVQo=", weak="MD5"),
    Vector("LDAP {SHA}", "{SHA}cT6T9pb9sShIhCJY65mixxuqxzo=", weak="SHA1"),
    Vector("LDAP {SSHA}", "{SSHA}y7zysihWYGiZF9Ku4xPKwGJB+27bO4ew", weak="SHA1"),
    Vector("LDAP {SSHA256}", "{SSHA256}jvggD5g486WFBDrmDaqoqYb/NTzCxlkD4EfDxAAGqSZDKAWg1Nob4w==", weak="SHA256"),
    Vector(
        "LDAP {SSHA512}",
        "{SSHA512}aM79f8VUGJeBVeI2f6RFZ43jloY/fw/tCnzHOlg8bF4CYgkY2BDeeLjmJTMtYAkqSFtZ7LZUE41utScOn8XQKnCO0TqHcG4t",
        weak="SHA512",
    ),
    Vector("Django sha1", "sha1$tj0IDMMCqNSN$865ec7205da079f4aa40e9850a64c0b2158f4f70", weak="SHA1"),
    # Tests of Ory Kratos: hash/hasher_test.go
    Vector("Kratos bcrypt", "$2a$12$o6hx.Wog/wvFSkT/Bp/6DOxCtLRTDj7lm9on9suF/WaCGNVHbkfL6", "test"),
    Vector(
        "Kratos argon2id",
        "$argon2id$v=19$m=32,t=2,p=4$cm94YnRVOW5jZzFzcVE4bQ$MNzk5BtR2vUhrp6qQEjRNw",
        "test",
        weak="Argon2",
    ),
    Vector(
        "Kratos argon2i",
        "$argon2i$v=19$m=65536,t=3,p=4$kk51rW/vxIVCYn+EG4kTSg$NyT88uraJ6im6dyha/M5jhXvpqlEdlS/9fEm7ScMb8c",
        "test",
    ),
    Vector(
        "Kratos pbkdf2",
        "$pbkdf2-sha256$i=100000,l=32$1jP+5Zxpxgtee/iPxGgOz0RfE9/KJuDElP1ley4VxXc$QJxzfvdbHYBpydCbHoFg3GJEqMFULwskiuqiJctoYpI",
        "test",
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "Kratos scrypt",
        "$scrypt$ln=16384,r=8,p=1$2npRo7P03Mt8keSoMbyD/tKFWyUzjiQf2svUaNDSrhA=$MiCzNcIplSMqSBrm4HckjYqYhaVPPjTARTzwB1cVNYE=",
        "test",
        weak="scrypt",
    ),
    Vector(
        "Kratos firescrypt",
        "$firescrypt$ln=14,r=8,p=1$sPtDhWcd1MfdAw==$xbSou7FOl6mChCyzpCPIQ7tku7nsQMTFtyOZSXXd7tjBa4NtimOx7v42Gv2SfzPQu1oxM2"
        "/k4SsbOu73wlKe1A==$Bw==$YE0dO4bwD4JnJafh6lZZfkp1MtKzuKAXQcDCJNJNyeCHairWHKENOkbh3dzwaCdizzOspwr/FITUVlnOAwPKyw==",
        "8x4WjoDbSxJZdR",
        weak="Firebase scrypt",
    ),
    Vector(
        "Kratos sha1",
        "$sha1$pf=JHtQQVNTV09SRH0ke1NBTFR9JA==$NW9wbWtnejAzcg==$iE5n1yjX3oAdxRHwZ4u57I4LpQo=",
        "test",
        weak="SHA1",
    ),
    Vector(
        "Kratos sha256",
        "$sha256$pf=e1NBTFR9JCR7UEFTU1dPUkR9$NW9wbWtnejAzcg==$HokCOi9OtiZaZRvnkgemV3B4UUHpI7kA8zq/EZWH2NY=",
        "test",
        weak="SHA256",
    ),
    Vector("Kratos md5", "$md5$CY9rzUYh03PK3k6DJie09g==", "test", weak="MD5"),
    Vector(
        "Kratos md5 with salt",
        "$md5$pf=e1BBU1NXT1JEfXtTQUxUfSQ/$MTIzNDU2Nzg5$8PhwWanVRnpJAFK4NUjR0w==",
        "ory",
        weak="MD5",
    ),
    Vector(
        "Kratos hmac",
        "$hmac-sha256$ZTAzMWJhMWMyOTM4YjFkMjgzZjkxOWExZGY5YWM2NmMxOTJhN2RkNzQ0MzJkNWZkNGFkYTI5OTk0MWJhMTA5Zg==$MTIzNDU=",
        "test",
        weak="SHA256",
    ),
    Vector("Kratos md5-crypt", "$md5-crypt$TVEiiKNb$SN6/pUaRQS/E8Jh46As2C/", "test", weak="md5-crypt"),
    Vector("Kratos md5-crypt without salt", "$md5-crypt$$whuMjZj.HMFoaTaZRRtkO0", "test", weak="md5-crypt"),
    # Tests of Spring Security: PasswordEncoderFactoriesTests
    Vector("Spring {bcrypt}", "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG", "password"),
    Vector("Spring {ldap}", "{ldap}{SSHA}igvD9lOiTXm16dmOw0YWRb9OjK2ThZvdQku2EQ==", "password", weak="SHA1"),
    Vector(
        "Spring {MD5}",
        "{MD5}{aRYR+Yp2xSqtgF+vtjH6jNda6M083iEbP+zCFjLt9IA=}905e382a25eed53e22224223b3581092",
        "password",
        weak="MD5",
    ),
    Vector(
        "Spring {SHA-1}",
        "{SHA-1}{6581QepZz2qd8jVrT2QYPVtK8DuM2n45dVslmc3UTWc=}4f31573948ddbfb8ac9dd80107dfad13fd8f2454",
        "password",
        weak="SHA1",
    ),
    Vector(
        "Spring {SHA-256}",
        "{SHA-256}{UisHp3pFSMqcqrhQsrhR+hspIG0SyMDyDW/XtY+t6nA=}a98efbaf59277bfd1837c33fd4fde67de5bcfd2205bcba0992f6fc32"
        "b03a8f88",
        "password",
        weak="SHA256",
    ),
    Vector(
        "Spring {sha256}",
        "{sha256}97cde38028ad898ebc02e690819fa220e88c62e0699403e94fff291cfffaf8410849f27605abcbc0",
        "password",
        weak="SHA256",
    ),
    Vector(
        "Spring {pbkdf2}",
        "{pbkdf2}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6bf3b508fbf17fa4ed4d6b99ca763d8dc",
        "password",
        weak="PBKDF2-SHA1",
    ),
    Vector(
        "Spring {scrypt}",
        "{scrypt}$e0801$8bWJaSu2IKSn9Z9kM+TPXfOc/9bdYSrN1oD9qfVThWEwdRTnO7re7Ei+fUZRJ68k9lTyuTeUp4of4g24hHnazw==$OAOec05"
        "+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc=",
        "password",
        weak="scrypt",
    ),
    Vector(
        "Spring {argon2}",
        "{argon2}$argon2d$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$Li5eBf5XrCz0cuzQRe9oflYqmA/VAzmzichw4ZYrvEU",
        "password",
        weak="Argon2",
    ),
    # Node's crypto, with the parameters that Spring's and Atlassian's code has
    Vector(
        "Spring {pbkdf2} of 5.8",
        "{pbkdf2@SpringSecurity_v5_8}4e61436c4e61436c4e61436c4e61436c038e556d1ee56114ab7afe90e614c5c9d5bcbb02ad8f1d289d01"
        "cdfd1233147e",
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "Spring {scrypt} of 5.8",
        "{scrypt@SpringSecurity_v5_8}$100801$TmFDbE5hQ2xOYUNsTmFDbA==$GKH9XOofreeneymfOonLEmBIUzH6sxmN8OGmZMbheYQ=",
        weak="scrypt",
    ),
    Vector(
        "Atlassian",
        "{PKCS5S2}TmFDbE5hQ2xOYUNsTmFDbBPpBsk3sQZ2x9kLXfkBjKipFpUIdONHHx2vAzk+Q+S2",
        weak="PBKDF2-SHA1",
    ),
    # Tests of ASP.NET Core Identity: PasswordHasherTest
    Vector(
        "ASP.NET Identity 2",
        "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==",
        "my password",
        weak="PBKDF2-SHA1",
    ),
    Vector(
        "ASP.NET Identity 3, SHA-1",
        "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
        "my password",
        weak="PBKDF2-SHA1",
    ),
    Vector(
        "ASP.NET Identity 3, SHA-256",
        "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==",
        "my password",
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "ASP.NET Identity 3, SHA-512",
        "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
        "my password",
        weak="PBKDF2-SHA512",
    ),
    # The examples of hashcat
    Vector("phpass", "$P$984478476IagS59wHZvyQMArzfx58u.", "hashcat", weak="phpass"),
    Vector("phpBB", "$H$984478476IagS59wHZvyQMArzfx58u.", "hashcat", weak="phpass"),
    Vector("Drupal 7", "$S$C33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf", "hashcat", weak="Drupal SHA512"),
    # PHP 8.2, with the steps of Drupal's password.inc written out
    Vector("Drupal 6", "U$S$5NaClNaClg1g/XLnkWbJaCMrb8tG3Ad8oRfcMz2ZodZ8Zz2rf4aj", weak="Drupal SHA512"),
    # Keycloak 26; and Node's crypto, for the algorithms of earlier versions
    Vector(
        "Keycloak argon2",
        _keycloak(
            "xKjWvB9+0sSP6wTqI1JoEI7w+iA0x9VDhPgmrOHRG80=",
            "LRScGShC7shkdoU5B1UgUQ==",
            "argon2",
            5,
            hashLength="32",
            memory="7168",
            type="id",
            version="1.3",
            parallelism="1",
        ),
        "secret",
    ),
    Vector(
        "Keycloak pbkdf2",
        _keycloak(
            "boqdCi4Zo6OHc7NgcEMIzhhq0s6bK7NMGcgMYmyo5KaXu6snpxpU+Vj7zOIyBA2JTn1TKN6RTpc6E5UzUevY7Q==",
            _NODE_SALT,
            "pbkdf2",
            10,
        ),
        weak="PBKDF2-SHA1",
    ),
    Vector(
        "Keycloak pbkdf2-sha256",
        _keycloak(
            "5MS6CcMqhZriBfbxdWoJ7qFH5MqQnYVZRxAAsol+bh7zGQmvzK3tJvPirq/Jwc7YlXzYf+lRCGgpnkUfWGNPuw==",
            _NODE_SALT,
            "pbkdf2-sha256",
            10,
        ),
        weak="PBKDF2-SHA256",
    ),
    Vector(
        "Keycloak pbkdf2-sha512",
        _keycloak(
            "VqywAjC/IupaT4p1YFzoc8qORNReTkvLDD1nPVDmkDQfGZywcNG7fcC6DdgoJ+94M3R3PZm9j4k7NKAzHf8aDA==",
            _NODE_SALT,
            "pbkdf2-sha512",
            10,
        ),
        weak="PBKDF2-SHA512",
    ),
]
BY_FORM = {vector.form: vector for vector in VECTORS}
assert len(BY_FORM) == len(VECTORS)
