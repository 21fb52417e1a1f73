"""Ways to pay, by one name for all providers."""

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("us_bank_account", "ach", "ach_debit", "sepa_debit", "sepadirectdebit", "bacs_debit",
         "au_becs_debit", "acss_debit", "directdebit_gb", "bank_account"),
        "bank_debit",
    ),
    **dict.fromkeys(
        ("alipay", "amazon_pay", "applepay", "cashapp", "googlepay", "grabpay", "link",
         "mobilepay", "paypal", "paywithgoogle", "wechat_pay", "wechatpayweb"),
        "wallet",
    ),
    **dict.fromkeys(
        ("affirm", "afterpay_clearpay", "afterpaytouch", "klarna", "buy_now_pay_later", "zip"),
        "bnpl",
    ),
    **dict.fromkeys(("scheme", "card_present", "interac_present"), "card"),
}  # fmt: skip

_BRANDS: Mapping[str, str] = {
    "american_express": "amex",
    "american express": "amex",
    "mc": "mastercard",
    "cup": "unionpay",
    "china_unionpay": "unionpay",
    "discover_diners": "diners",
}
_ADYEN_BRANDS = frozenset(
    {"amex", "cartebancaire", "cup", "diners", "discover", "elo", "jcb", "maestro", "mc", "visa"}
)


def method_of(name: str | None) -> str | None:
    """The common name of a provider's way to pay; the provider's own where there is none."""
    return None if name is None else _NAMES.get(name.lower(), name.lower())


def brand_of(name: str | None) -> str | None:
    """The common name of a card's brand."""
    return None if name is None else _BRANDS.get(name.lower(), name.lower())


def method_and_brand(name: str | None) -> tuple[str | None, str | None]:
    """Of a provider that names a card by its brand alone, as Adyen does."""
    lowered = name.lower() if name else None
    if lowered in _ADYEN_BRANDS:
        return "card", brand_of(lowered)
    return method_of(name), None
