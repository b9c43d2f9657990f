"""Shoppers from many places, some with names that a careless program trips over."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_GIVEN_NAMES = (
    "Amelia Jack Charlotte Noah Isla William Zoë Søren Björn Łucja Renée José Íñigo Nguyễn François Ana "
    "Đorđe "
    "Οδυσσέας Ελένη Юлия Борис Оксана Նարեկ ნინო 美咲 大輔 秀英 伟 지우 민준 สมชาย अनन्या राहुल প্রিয়া தமிழ் "
    "محمد ليلى נועה דוד ሀና Chukwuemeka Thandiwe Kailani Aroha Tāne Xochitl"
)
_FAMILY_NAMES = (
    "Smith Nguyen Williams O'Brien Müller Straße Ødegård Ångström Łukasiewicz Çelik García Muñoz D'Souza "
    "Παπαδόπουλος Иванова Шевченко Հակոբյան კაპანაძე 田中 佐々木 王 陈 김 박 ใจดี शर्मा চৌধুরী முருகன் "
    "العلي حداد כהן לוי በቀለ Okonkwo Dlamini Kahananui Ngata Huitzilihuitl van-der-Meer"
)
_GIVEN, _FAMILY = _GIVEN_NAMES.split(), _FAMILY_NAMES.split()
_ODD = (
    "[bold red]Bobby[/] [link=x]Tables[/link]",
    "Robert'); DROP TABLE Orders;--",
    "\x1b[31mRed\x1b[0m \x1b]0;title\x07",
    "\u202eenalP ydaL\u202c",
    "Zo\u0308e\u0301 \u200b\u2060Hidden",
    "👩‍👩‍👧‍👦 🏳️‍🌈 Family",
    "Anna\tTab\nLine",
    "{0} %s ${jndi:x} <script>",
)
_CITIES = (
    ("Sydney", "NSW", "AU"),
    ("Melbourne", "VIC", "AU"),
    ("Brisbane", "QLD", "AU"),
    ("Hobart", "TAS", "AU"),
    ("Auckland", None, "NZ"),
    ("München", None, "DE"),
    ("Dublin", None, "IE"),
    ("Toronto", "ON", "CA"),
    ("Austin", "TX", "US"),
    ("東京", None, "JP"),
    ("Lyon", None, "FR"),
)
_NUMBERS = range(10**8)
GOODS = (
    "Oak side table",
    "Linen throw",
    "Enamel teapot",
    "Bread knife",
    "Wool rug",
    "Cast-iron pan",
    "Beeswax candle",
    "Rain chain",
)


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper, as the website knows them."""

    given: str
    family: str
    email: str
    phone: str
    city: str
    state: str | None
    country: str
    postcode: str
    """Unlike anybody else's, so that no duplicate rule mistakes one for another."""


def person(random: Random, number: int) -> Shopper:
    """The shopper with this running number."""
    given, family = random.choice(_GIVEN), random.choice(_FAMILY)
    if number % 23 == 22:
        given, _blank, family = _ODD[number // 23 % len(_ODD)].rpartition(" ")
    city, state, country = random.choice(_CITIES)
    return Shopper(
        given=given,
        family=family,
        email=f"shopper{number}@example.{random.choice(('com', 'org', 'net'))}",
        phone=f"+61 4{random.choice(_NUMBERS):08}",
        city=city,
        state=state,
        country=country,
        postcode=f"{2000 + number}",
    )


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_sc_id(random: Random) -> str:
    """A StoreConnect ID: a lower-case UUID."""
    bits = "%032x" % random.getrandbits(128)  # noqa: UP031 - a third faster
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{_VARIANT[bits[16]]}{bits[17:20]}-{bits[20:]}"
