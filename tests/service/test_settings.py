"""Settings: safe by default, and wrong ones are named before anything starts."""

import pytest

from service.errors import SetupError
from service.settings import Settings

CERT = {"tls_cert": "cert.pem", "tls_key": "key.pem"}
TEXTS = {
    "sms": "webhook",
    "sms_url": "https://sms.example",
    "sms_secret": "s",
    "contact": "privacy@example.org",
}


def test_the_defaults_are_for_this_machine_alone():
    settings = Settings.load()
    assert settings.is_loopback
    assert not settings.plain_uploads
    assert not settings.allow_weak_cell
    assert settings.database.startswith("sqlite:///")


@pytest.mark.clause("1.2.2(1)", partly="the service does not start with plain HTTP off loopback")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])  # noqa: S104
def test_plain_http_off_this_machine_is_refused_unless_a_proxy_or_tls_is_there(host):
    with pytest.raises(SetupError, match="plain HTTP is for this machine only"):
        Settings.load(host=host, **TEXTS)
    assert Settings.load(host=host, **TEXTS, **CERT).host == host
    assert Settings.load(host=host, **TEXTS, behind_proxy="192.0.2.7").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_neither(host):
    assert Settings.load(host=host).is_loopback


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tls_cert": "cert.pem"}, "give both"),
        ({"host": "192.0.2.1", **TEXTS, "sms": "console", **CERT}, "loopback only"),
        ({"host": "192.0.2.1", **TEXTS, "contact": "", **CERT}, "contact"),
        ({"behind_proxy": "192.0.2.7"}, "contact"),
        ({"contact": "somebody"}, "FACEKIT_CONTACT"),
        ({"sms": "webhook"}, "sms_url and sms_secret"),
        ({"port": 70000}, "FACEKIT_PORT"),
        ({"result_seconds": 601}, "FACEKIT_RESULT_SECONDS"),
        ({"largest_upload": 0}, "FACEKIT_LARGEST_UPLOAD"),
        ({"sms": "pigeon"}, "FACEKIT_SMS"),
    ],
)
def test_what_is_wrong_is_named(given, said):
    with pytest.raises(SetupError, match=said):
        Settings.load(**given)


@pytest.mark.parametrize(("name", "value"), [("PORT", "canary-4711"), ("OIDC", '{"canary-4712"')])
def test_a_fault_names_the_setting_and_does_not_repeat_its_value(monkeypatch, name, value):
    monkeypatch.setenv(f"FACEKIT_{name}", value)
    with pytest.raises(SetupError, match=f"FACEKIT_{name}") as caught:
        Settings.load()
    assert "canary" not in str(caught.value)


def test_secrets_do_not_show():
    settings = Settings.load(
        **TEXTS | {"sms_secret": "canary-4713"}, database_url="postgresql://u:canary-4714@h/d"
    )
    assert "canary" not in repr(settings)
