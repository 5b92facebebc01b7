"""Signing in by what another party says: the carrier, or a provider of another account."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from service.accounts.third_party import LIFETIME
from service.database import Database
from service.tables import accounts, ops
from tests.service.outside import CARRIER_SECRET, CLIENT, Carrier, Provider
from tests.service.serving import WITHOUT_JOBS, Server, new_number

PUBLIC = "https://faces.example"


@pytest.fixture(scope="module")
def carrier():
    with Carrier() as running:
        yield running


@pytest.fixture(scope="module")
def providers():
    with Provider() as first, Provider() as second:
        yield {"first": first, "second": second}


@pytest.fixture
def provider(providers):
    found = providers["first"]
    yield found
    found.sign, found.issuer, found.more = found.sign_well, found.url, {}


@pytest.fixture(scope="module")
def abroad(database, texts, carrier, providers, tmp_path_factory):
    """A server that works with a carrier and two providers."""
    settings = {
        "FACEKIT_CARRIER_URL": carrier.url,
        "FACEKIT_CARRIER_SECRET": CARRIER_SECRET,
        "FACEKIT_OIDC": json.dumps({name: one.settings() for name, one in providers.items()}),
        "FACEKIT_PUBLIC_URL": PUBLIC,
    }
    with Server(tmp_path_factory.mktemp("abroad"), texts, database() | WITHOUT_JOBS | settings) as running:
        yield running


class Guest:
    """Somebody who has accepted the policy, and has a browser."""

    def __init__(self, server):
        self.server = server
        self.person = server.person()
        self.http = self.person.http
        self.http.headers["Facekit-Acceptance"] = self.person.accept()
        self.cookie = ""

    def digest(self, purpose):
        return self.http.get("/policy").json()["registries"]["purposes"][purpose]["digest"]

    def one_click(self, token, *, consent=True):
        given = {"consent": {"digest": self.digest("login.one_click")}} if consent else {}
        return self.http.post("/auth/one-click", json={"token": token, **given})

    def start(self, name="first", *, consent=True):
        """Begin, and return the provider's address."""
        self.http.headers["Facekit-Acceptance"] = self.person.accept()  # the last one may have an account
        given = {"consent": self.digest("login.third_party")} if consent else {}
        answer = self.http.get(f"/auth/oauth/{name}/start", params=given)
        if answer.status_code == 200:
            self.cookie = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        self.http.cookies.clear()  # sent by hand, for it is for https only
        return answer

    def come_back(self, back, name="first", *, cookie=None):
        """Come back as a browser does: with its cookie, and with no header of the client's."""
        cookie = self.cookie if cookie is None else cookie
        with self.server.client() as browser:
            headers = {"Cookie": f"facekit_oauth={cookie}"} if cookie else {}
            return browser.get(f"/auth/oauth/{name}/callback", params=back, headers=headers)

    def sign_in(self, provider, subject, name="first"):
        back = provider.let_in(self.start(name).json()["url"], subject)
        return self.come_back(back, name)


@pytest.fixture
def guest(abroad):
    somebody = Guest(abroad)
    yield somebody
    somebody.http.close()


def signed_in(server, answer):
    assert answer.status_code == 200, answer.text
    return server.client(Authorization=f"Bearer {answer.json()['token']}")


def rows_of(server, query):
    """Read the server's database."""
    found = Database(
        server.environment.get("FACEKIT_DATABASE_URL", f"sqlite:///{server.data}/facekit.sqlite")
    )
    with found.begin() as session:
        rows = session.scalars(query).all()
    found.close()
    return rows


# -- the carrier -----------------------------------------------------------------------------


@pytest.mark.clause("1.3.1 p2")
def test_one_click_needs_consent_first_and_leaves_the_other_ways_open(guest, carrier):
    before = len(carrier.asked)
    answer = guest.one_click(carrier.token_for(new_number()), consent=False)
    assert (answer.status_code, answer.json()["purpose"]) == (403, "login.one_click")
    assert len(carrier.asked) == before, "something was sent without consent"

    phone = new_number()
    answer = guest.one_click(carrier.token_for(phone))
    assert answer.json()["created"] is True
    assert len(carrier.asked) == before + 1
    with signed_in(guest.server, answer) as http:
        me = http.get("/me").json()
        assert (me["phone"][-2:], me["phone_from"]) == (phone[-2:], "carrier")
        consents = {one["name"]: one for one in http.get("/consents").json()["items"]}
        assert consents["login.one_click"]["granted"] is True
        assert [name for name, one in consents.items() if one["granted"]] == ["login.one_click"]

    with guest.server.person(phone) as by_code:  # the same person, by a code
        assert by_code.account == answer.json()["account"]


def test_consent_to_other_words_than_those_in_force_sends_nothing(guest, carrier):
    before = len(carrier.asked)
    given = {"token": carrier.token_for(new_number()), "consent": {"digest": "0" * 64}}
    assert guest.http.post("/auth/one-click", json=given).status_code == 409
    assert len(carrier.asked) == before


def test_who_has_consented_before_need_not_again_and_who_has_withdrawn_must(guest, carrier):
    phone = new_number()
    with signed_in(guest.server, guest.one_click(carrier.token_for(phone))) as http:
        again = http.post("/auth/one-click", json={"token": carrier.token_for(phone)})
        assert again.status_code == 200
        http.delete("/consents/login.one_click")
        before = len(carrier.asked)
        assert http.post("/auth/one-click", json={"token": carrier.token_for(phone)}).status_code == 403
        assert len(carrier.asked) == before


@pytest.mark.parametrize(
    "nonsense", ["", "12345", "+0123456789", 5, None, ["+8613800138000"], "+86138001380001234"]
)
def test_a_carrier_that_says_no_number_signs_nobody_in(guest, carrier, nonsense):
    assert guest.one_click(carrier.token_for(nonsense)).status_code == 502


def test_a_carrier_s_token_that_does_not_hold_signs_nobody_in(guest):
    assert guest.one_click("made up").status_code == 502


def test_where_no_carrier_is_set_up_codes_are_named(server):
    guest = Guest(server)
    answer = guest.one_click("any")
    assert answer.status_code == 404
    assert "/v1/auth/otp" in answer.json()["detail"]
    guest.http.close()


# -- a provider ------------------------------------------------------------------------------


@pytest.mark.clause(
    "1.3.1 p3 a", partly="one scope is asked for, one claim is kept, and a consent comes first"
)
@pytest.mark.clause(
    "6.3 auth", partly="signing in by another account works through an adapter, by OpenID Connect"
)
def test_another_account_signs_in_and_brings_nothing_else_along(guest, provider):
    provider.more = {
        "name": "Canary Name",
        "picture": "https://canary.example/face.jpg",
        "phone_number": "+8613800138000",
        "email": "canary@example.org",
    }
    answer = guest.sign_in(provider, "somebody-1")
    assert answer.json()["created"] is True
    assert provider.visits[-1]["scope"] == "openid"
    with signed_in(guest.server, answer) as http:
        me = http.get("/me").json()
        assert (me["name"], me["phone"], me["providers"]) == (None, None, ["first"])
        assert http.get("/me/avatar").headers["content-type"].startswith("image/svg")
        granted = [one["name"] for one in http.get("/consents").json()["items"] if one["granted"]]
        assert granted == ["login.third_party"]

    second = guest.sign_in(provider, "somebody-1")
    assert (second.json()["account"], second.json()["created"]) == (answer.json()["account"], False)
    other = guest.sign_in(provider, "somebody-2")
    assert other.json()["account"] != answer.json()["account"]


def test_the_same_subject_at_two_providers_is_two_people(guest, providers):
    found = {name: guest.sign_in(one, "same", name).json()["account"] for name, one in providers.items()}
    assert len(set(found.values())) == 2


@pytest.mark.clause("3.1 (head)", partly="all that is asked of a provider is in the ledger, and the person's")
def test_what_a_provider_was_asked_is_in_the_ledger_of_the_account(guest, provider):
    answer = guest.sign_in(provider, "for-the-ledger")
    account = answer.json()["account"]
    rows = rows_of(guest.server, select(ops.ShareEvent).where(ops.ShareEvent.account_id == account))
    assert {(row.recipient, row.purpose, row.basis) for row in rows} == {
        ("oidc", "login.third_party", "consent")
    }
    asked = "client_id,client_secret,code,code_verifier,grant_type,redirect_uri"
    assert sorted(row.fields for row in rows) == ["", "", asked]


def test_without_consent_a_provider_hears_nothing(guest, provider):
    before = len(provider.asked)
    answer = guest.start(consent=False)
    assert (answer.status_code, answer.json()["purpose"]) == (403, "login.third_party")
    assert len(provider.asked) == before


def test_the_cookie_is_for_this_browser_these_routes_and_ten_minutes(guest):
    cookie = guest.start().headers["set-cookie"].lower()
    for part in ("httponly", "secure", "samesite=lax", "path=/v1/auth/oauth;", "max-age=600"):
        assert part in cookie


def test_neither_verifier_nor_nonce_nor_state_is_kept(guest, provider):
    asked = dict(provider.let_in(guest.start().json()["url"], "kept"))
    visit = provider.visits[-1]
    (row,) = [
        one
        for one in rows_of(guest.server, select(accounts.Visit))
        if one.state == hashlib.sha256(asked["state"].encode()).digest()
    ]
    kept = [str(getattr(row, column.name)) for column in row.__table__.columns]
    assert not any(secret in one for one in kept for secret in (visit["state"], visit["nonce"], guest.cookie))


@pytest.mark.clause("1.3.1 p3 a", partly="a sign-in that another browser began, or that was used, is refused")
def test_login_csrf_is_refused(guest, abroad, provider):
    """An attacker signs in at the provider, and has the victim's browser finish."""
    attacker = Guest(abroad)
    back = provider.let_in(attacker.start().json()["url"], "attacker")
    guest.start()  # the victim even has a cookie, of a visit of their own
    for cookie in ("", guest.cookie):
        assert attacker.come_back(back, cookie=cookie).status_code == 422
        back = provider.let_in(attacker.start().json()["url"], "attacker")
    assert attacker.come_back(back).status_code == 200  # the attacker's own browser may
    attacker.http.close()


def test_a_state_is_used_once_also_where_it_failed(guest, provider):
    back = provider.let_in(guest.start().json()["url"], "replayed")
    assert guest.come_back(back, cookie="another").status_code == 422
    assert guest.come_back(back).status_code == 422
    back = provider.let_in(guest.start().json()["url"], "replayed")
    assert guest.come_back(back).status_code == 200
    assert guest.come_back(back).status_code == 422


def test_a_mixed_up_issuer_is_refused(guest, providers, provider):
    back = provider.let_in(guest.start("first").json()["url"], "mixed")
    assert guest.come_back(back, "second").status_code == 422, "another provider's way back"

    back = provider.let_in(guest.start("first").json()["url"], "mixed")
    assert guest.come_back(back | {"iss": providers["second"].url}).status_code == 422

    back = provider.let_in(guest.start("first").json()["url"], "mixed")
    del back["iss"]
    assert guest.come_back(back).status_code == 422, "it says that it sends its name"

    provider.issuer = providers["second"].url
    assert guest.start("first").status_code == 502, "its own description names another"


def test_who_says_no_at_the_provider_is_not_signed_in(guest, provider):
    back = provider.let_in(guest.start().json()["url"], "no")
    del back["code"]
    assert guest.come_back(back | {"error": "access_denied"}).status_code == 422


def unsigned(claims):
    def part(document):
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}."


def signed_with_the_public_key(provider):
    """A signature that holds for whoever takes the public key for a shared secret."""

    def sign(claims):
        head, body, _ = unsigned(claims).split(".")
        head = base64.urlsafe_b64encode(b'{"alg": "HS256", "kid": "first"}').rstrip(b"=").decode()
        mac = hmac.digest(provider.key.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
        return f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def signed_by_another(claims):
    from joserfc import jwt

    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, RSAKey.generate_key(2048))


SPOILED = {
    "another issuer": {"iss": "https://id.example"},
    "another audience": {"aud": "another"},
    "several audiences, given to another": {"aud": [CLIENT, "another"], "azp": "another"},
    "no audience": {"aud": None},
    "run out": {"exp": int(time.time()) - 120},
    "no end": {"exp": None},
    "another visit's nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "made in the future": {"iat": int(time.time()) + 3600},
}


@pytest.mark.parametrize("name", SPOILED)
def test_an_id_token_with_a_wrong_claim_signs_nobody_in(guest, provider, name):
    provider.sign = lambda claims: provider.sign_well(
        {key: value for key, value in (claims | SPOILED[name]).items() if value is not None}
    )
    assert guest.sign_in(provider, f"spoiled {name}").status_code == 422
    provider.sign = provider.sign_well
    assert guest.sign_in(provider, f"spoiled {name}").json()["created"] is True, (
        "the same, unspoiled, is somebody new"
    )
    provider.more = {}


@pytest.mark.parametrize("how", ["unsigned", "by the public key", "by another key", "not at all"])
def test_an_id_token_that_the_provider_has_not_signed_signs_nobody_in(guest, provider, how):
    provider.sign = {
        "unsigned": unsigned,
        "by the public key": signed_with_the_public_key(provider),
        "by another key": signed_by_another,
        "not at all": lambda _: "nonsense",
    }[how]
    assert guest.sign_in(provider, f"unsigned {how}").status_code == 422
    provider.sign = provider.sign_well
    assert guest.sign_in(provider, f"unsigned {how}").status_code == 200


@pytest.mark.clause("1.1.2")
def test_what_others_told_is_marked_and_comes_from_nowhere_else():
    from service.datamap import as_document, data_map
    from service.tables import Base

    told = [(row["table"], row["column"]) for row in as_document(data_map(Base)) if row["third_party"]]
    assert told == [("identities", "subject")]


def test_to_withdraw_the_consent_erases_the_identifier_and_it_signs_in_no_more(guest, provider):
    answer = guest.sign_in(provider, "leaves")
    account = answer.json()["account"]
    identities = select(accounts.Identity).where(accounts.Identity.account_id == account)
    assert len(rows_of(guest.server, identities)) == 1
    with signed_in(guest.server, answer) as http:
        assert http.delete("/consents/login.third_party").status_code == 200
        assert http.get("/me").json()["providers"] == []
    assert rows_of(guest.server, identities) == []
    again = guest.sign_in(provider, "leaves")
    assert (again.json()["created"], again.json()["account"] != account) == (True, True)


@pytest.mark.clause("1.3.1 p3 b", partly="an account without a phone binds one, and is then reached by it")
def test_an_account_made_elsewhere_binds_a_phone_later(guest, provider):
    answer = guest.sign_in(provider, "binds")
    phone = new_number()
    with signed_in(guest.server, answer) as http:
        challenge = http.post("/auth/otp", json={"phone": phone}).json()["challenge"]
        code = guest.server.texts.code_for(phone)
        bound = http.post("/me/phone", json={"challenge": challenge, "phone": phone, "code": code})
        assert (bound.status_code, bound.json()["phone_from"]) == (200, "code")
    with guest.server.person(phone) as by_code:
        assert by_code.account == answer.json()["account"]


def test_a_visit_ends_after_ten_minutes(tmp_path, provider):
    from datetime import timedelta

    from service.accounts import third_party
    from service.accounts.signing_in import Shown
    from service.app import make_parts
    from service.caller import Caller
    from service.clock import utc_now
    from service.consent.service import digest_of
    from service.errors import RefusedError
    from service.settings import Settings

    late = timedelta()
    settings = Settings.load(
        data=tmp_path, sms="none", oidc={"first": provider.settings()}, public_url=PUBLIC
    )
    parts = make_parts(settings, clock=lambda: utc_now() + late)
    shown = Shown(digest_of("purpose", "login.third_party"), "en")

    def go_and_return(meanwhile):
        nonlocal late
        late = timedelta()
        visiting = third_party.begin(parts, Caller("net"), "first", shown)
        back = provider.let_in(visiting.url, "late")
        late = meanwhile
        returned = third_party.Return(back["state"], back["code"], back["iss"], "", visiting.cookie)
        return third_party.finish(parts, "first", returned, "net", "curl")

    assert go_and_return(LIFETIME / 2).created
    with pytest.raises(RefusedError):
        go_and_return(LIFETIME)
    parts.gateway.close()
    parts.database.close()
    parts.vault.close()
