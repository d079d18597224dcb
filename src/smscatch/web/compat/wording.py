"""What the texts of verifications say, in the languages of their numbers. In our words: a provider's are its own."""

from collections.abc import Mapping

from smscatch.numbers import country_of

TEXTS: Mapping[str, str] = {
    "cs": "Váš ověřovací kód pro {name} je: {code}",
    "da": "Din bekræftelseskode til {name} er: {code}",
    "de": "Ihr Bestätigungscode für {name} lautet: {code}",
    "en": "Your {name} verification code is: {code}",
    "es": "Tu código de verificación de {name} es: {code}",
    "fi": "Vahvistuskoodisi palveluun {name} on: {code}",
    "fr": "Votre code de vérification {name} est : {code}",
    "it": "Il tuo codice di verifica per {name} è: {code}",
    "ja": "{name} の認証コードは {code} です",
    "nb": "Din bekreftelseskode for {name} er: {code}",
    "nl": "Je verificatiecode voor {name} is: {code}",
    "pl": "Twój kod weryfikacyjny do {name} to: {code}",
    "pt": "O seu código de verificação para {name} é: {code}",
    "ru": "Ваш код подтверждения {name}: {code}",
    "sv": "Din verifieringskod för {name} är: {code}",
    "tr": "{name} doğrulama kodunuz: {code}",
    "zh": "您的 {name} 验证码是：{code}",
}
# By country (ISO 3166-1), where a number with its code speaks another language than English.
LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("DE", "AT"), "de"),
    **dict.fromkeys(("ES", "MX", "AR", "CL", "CO", "PE"), "es"),
    **dict.fromkeys(("PT", "BR"), "pt"),
    **{"CN": "zh", "CZ": "cs", "DK": "da", "FI": "fi", "FR": "fr", "IT": "it", "JP": "ja", "NL": "nl", "NO": "nb"},
    **{"PL": "pl", "RU": "ru", "SE": "sv", "TR": "tr"},
}


def write_text(to: str, name: str, code: str, locale: str = "") -> str:
    """Return the text of a verification in the language of a locale such as pt-BR; without one, in that of the number.

    In English if there is no text in that language.
    """
    language = locale.replace("_", "-").partition("-")[0].lower() or LANGUAGES.get(country_of((to,)) or "", "en")
    return TEXTS.get(language, TEXTS["en"]).format(name=name, code=code)
