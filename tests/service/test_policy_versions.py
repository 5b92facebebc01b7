"""Versions of the policy: a chain; what changes that matters is found, and everybody is told in time."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, select, text, update

from facekit.policy import policy_text
from service.accounts.store import Account
from service.app import build
from service.errors import ConflictError, RefusedError, SetupError
from service.policy import registry, stated, versions
from service.policy.registry import Permission, Purpose, Recipient
from service.policy.service import accept
from service.policy.store import Notice, PolicyVersion
from service.policy.versions import Draft, chain, check, publish
from service.settings import Settings
from tests.service.local import change, in_force, publish_in, rows

#: Digests of what the first version states, register by register. Who changes one changes what people
#: accepted: installations that run have to publish a version before they can go on, and where their users
#: have accounts, to tell all of them days before. Set the digest here, and tell of it in CHANGELOG.md.
REGISTERS = {
    "purposes": "df3d58135cd9201e",
    "permissions": "510243625105734d",
    "information": "e08adca3163a1a04",
    "recipients": "e1148958b9032197",
    "rights": "5b8c4d3392a55b80",
}
ADS = Purpose({"en": "Show advertisements.", "zh": "展示广告。"}, ("what you like",), (), 30, tracking=True)
ADVERTISER = Recipient("an advertiser", ("ads",), ("count",), "consent")
#: For each register a change as a later release, or other settings, would make it; and the reason it gives.
CHANGES = {
    "a new purpose": (lambda patch: change(patch, "PURPOSES", ads=ADS), {}, "purposes"),
    "a purpose less": (lambda patch: change(patch, "PURPOSES", **{"device.info": None}), {}, "purposes"),
    "other words": (lambda patch: reworded(patch, words={"en": "Other.", "zh": "其他。"}), {}, "purposes"),
    "other data": (lambda patch: reworded(patch, data=("the photo", "the voice")), {}, "purposes"),
    "another time": (lambda patch: reworded(patch, days=30), {}, "purposes"),
    "another recipient of a purpose": (lambda patch: reworded(patch, recipients=("oidc",)), {}, "purposes"),
    "a new permission": (
        lambda patch: change(patch, "PERMISSIONS", microphone=Permission({"en": "", "zh": ""}, "voice")),
        {},
        "permissions",
    ),
    "a new recipient": (lambda patch: change(patch, "RECIPIENTS", ads=ADVERTISER), {}, "recipients"),
    "a recipient gets more": (lambda patch: more_fields(patch), {}, "recipients"),
    "a right less": (lambda patch: patch.setattr(registry, "RIGHTS", registry.RIGHTS[1:]), {}, "rights"),
    "more information": (lambda patch: more_information(patch), {}, "information"),
    "another contact": (lambda _: None, {"contact": "other@example.org"}, "contact"),
    "another operator": (lambda _: None, {"operator_name": "Another"}, "ownership"),
}


def reworded(patch, **what):
    change(
        patch,
        "PURPOSES",
        **{"face.effect": dataclasses.replace(registry.PURPOSES["face.effect"], **what)},
    )


def more_fields(patch):
    sms = registry.RECIPIENTS["sms"]
    change(patch, "RECIPIENTS", sms=dataclasses.replace(sms, fields=(*sms.fields, "name")))


def more_information(patch):
    found = stated.data_map(stated.Base)
    extra = dataclasses.replace(found[0], column="shoe_size")
    patch.setattr(stated, "data_map", lambda _: (*found, extra))


SOME = pytest.mark.parametrize("name", ["a new purpose", "more information", "another contact"])
FOUND = r"was changed|is missing"


# -- what the first version states ------------------------------------------------------------


@pytest.mark.clause(
    "8(1)", "8(3)", "8(4)", partly="a register that changed without its digest fails the suite"
)
def test_the_registers_are_those_that_the_suite_knows():
    found = stated.stated(Settings.load())
    assert {name: stated.digest_of(found[name])[:16] for name in REGISTERS} == REGISTERS, (
        "what the policy states has changed; REGISTERS says what that means"
    )


@pytest.mark.clause("P-2")
def test_a_version_lists_every_purpose_recipient_and_piece_of_information_with_its_period(server):
    from service.datamap import data_map
    from service.tables import Base

    with server.client() as http:
        shown = http.get("/policy").json()
    assert shown["text"] == policy_text()
    listed = shown["registries"]
    assert set(listed["purposes"]) == set(registry.PURPOSES)
    assert set(listed["recipients"]) == set(registry.RECIPIENTS)
    personal = {f"{row.table}.{row.column}": row for row in data_map(Base) if row.held.personal}
    assert set(listed["information"]) == set(personal)
    for name, row in personal.items():
        assert listed["information"][name]["days"] == row.kept.days
        assert listed["information"][name]["purpose"] == row.held.purpose


@pytest.mark.clause("9a", partly="who answers stands beside the text, as the operator set it")
def test_who_answers_is_what_the_operator_set(server):
    with server.client() as http:
        assert http.get("/policy").json()["contact"] == server.environment["FACEKIT_CONTACT"]


# -- the chain --------------------------------------------------------------------------------


@pytest.mark.clause("8 (head) a")
def test_every_version_stays_readable_and_names_the_one_before(each_local):
    with each_local.running() as running:
        first = in_force(running.parts)
        second = publish_in(running.parts, days=0, text="# Other words")
        third = publish_in(running.parts, days=7, text="# More", flags=("impact",))
        items = running.http.get("/v1/policy/versions").json()["items"]
        assert [(one["version"], one["previous"]) for one in items] == [
            (first.version, None),
            (second.version, first.version),
            (third.version, second.version),
        ]
        for one, words in zip(items, (policy_text(), "# Other words", "# More"), strict=True):
            whole = running.http.get(f"/v1/policy/versions/{one['version']}").json()
            assert whole["text"] == words
            assert whole["digest"] == stated.text_digest(words)
        now = running.http.get("/v1/policy").json()
        assert now["version"] == second.version
        assert [one["version"] for one in now["later"]] == [third.version]
        assert running.http.get(f"/v1/policy/versions/{'0' * 16}").status_code == 404


EDITS = {
    "text": "# Edited",
    "digest": "0" * 64,
    "package": "0" * 64,
    "registries": {"rights": []},
    "reasons": ["impact"],
    "material": True,
    "number": 3,
    "previous": None,
    "record": "0" * 64,
    "effective_at": "later",
    "published_at": "later",
}


def edit_and_look(parts, edit):
    """Edit the second version, and see what the chain says; an error undoes the edit."""
    with parts.database.begin() as session:
        if "previous" in edit:  # of which there can be one alone without
            session.execute(update(PolicyVersion).where(PolicyVersion.number == 1).values(previous="x"))
        session.execute(update(PolicyVersion).where(PolicyVersion.number == 2).values(edit))
        chain(session)


@pytest.mark.clause("8 (head) a", partly="no part of a version can be edited unnoticed")
def test_an_edited_version_is_found_at_start(each_local):
    assert set(EDITS) | {"version"} == {one.name for one in PolicyVersion.__table__.columns}
    with each_local.parts() as parts:
        publish_in(parts, days=0, text="# Words")
        check(parts)
        for column, value in EDITS.items():
            edit = {column: parts.clock().replace(year=2028) if value == "later" else value}
            with pytest.raises(SetupError, match=FOUND):
                edit_and_look(parts, edit)
        with parts.database.begin() as session:
            session.execute(update(PolicyVersion).where(PolicyVersion.number == 1).values(text="# Edited"))
    with each_local.parts() as parts, pytest.raises(SetupError, match=FOUND):
        build(parts)


@pytest.mark.parametrize("which", ["IS NULL", "IS NOT NULL"])
def test_a_version_that_was_taken_out_is_found_at_start(local, which):
    """The newest, too, once somebody has accepted it."""
    with local.running() as running:
        publish_in(running.parts, days=0, text="# Words")
        running.person()
        with running.parts.database.begin() as session:
            session.execute(text(f"DELETE FROM policy_versions WHERE previous {which}"))  # noqa: S608
        with pytest.raises(SetupError, match="missing from the chain"):
            check(running.parts)


def test_replicas_that_start_at_once_publish_one_first_version(each_local):
    start = threading.Barrier(4)

    def begin():
        start.wait()
        versions.publish_first(parts)

    with each_local.parts() as parts:
        with parts.database.begin() as session:
            session.execute(text("DELETE FROM policy_versions"))
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(begin) for _ in range(4)]:
                done.result()
        with parts.database.begin() as session:
            assert len(chain(session)) == 1


# -- what matters -----------------------------------------------------------------------------


@pytest.mark.clause("8(1)", "8(3)", "8(4)", "8(5)")
@pytest.mark.clause("8(2)", partly="another name of who runs the service is found by comparing")
@pytest.mark.parametrize("name", CHANGES)
def test_what_matters_is_found_by_comparing(monkeypatch, name):
    apply, settings, reason = CHANGES[name]
    before = stated.stated(Settings.load())
    assert stated.differences(before, before) == {}
    apply(monkeypatch)
    found = stated.differences(before, stated.stated(Settings.load(**settings)))
    assert [stated.REASONS[register] for register in found] == [reason]


@pytest.mark.clause("8 (head) b", partly="what matters cannot take effect before everybody had time")
@SOME
def test_what_matters_takes_effect_only_days_after_everybody_was_told(local, monkeypatch, name):
    apply, settings, reason = CHANGES[name]
    with local.parts():
        pass
    apply(monkeypatch)
    with local.parts(**settings) as parts:
        for early in (None, 0, 6.9):
            with pytest.raises(RefusedError, match="2027-01-11"):
                publish_in(parts, days=early) if early is not None else publish(parts, Draft())
        new = publish_in(parts, days=7)
        assert (new.material, new.reasons) == (True, [reason])


@pytest.mark.clause("8(2)", "8(6)")
@pytest.mark.parametrize("flag", ["ownership", "impact"])
def test_what_no_register_shows_matters_where_the_operator_says_so(local, flag):
    with local.parts() as parts:
        with pytest.raises(RefusedError):
            publish_in(parts, days=1, flags=(flag,))
        new = publish_in(parts, days=7, flags=(flag,))
        assert (new.material, new.reasons) == (True, [flag])


def test_other_words_alone_can_count_at_once_and_nobody_is_told(local):
    with local.running() as running:
        somebody = running.person()
        new, told = publish(running.parts, Draft(text="# Clearer words"))
        assert (new.material, told) == (False, 0)
        assert in_force(running.parts).version == new.version
        assert somebody.ask("GET", "/notices").json() == {"unread": 0, "items": []}


def test_a_version_that_changes_nothing_is_refused(local):
    with local.parts() as parts, pytest.raises(ConflictError, match="nothing differs"):
        publish(parts, Draft())


def test_an_operators_own_text_does_not_give_way_unasked(local):
    with local.parts() as parts:
        publish_in(parts, days=0, text="# Our own words")
        with pytest.raises(RefusedError, match="a text of your own"):
            publish(parts, Draft(flags=("impact",)))
        check(parts)  # the package's text has not changed since: it starts


def test_a_version_cannot_overtake_the_one_before(local):
    with local.parts() as parts:
        publish_in(parts, days=20, flags=("impact",))
        for days in (-1, 0, 19):
            with pytest.raises(RefusedError):
                publish_in(parts, days=days, text="# Words")
        assert publish(parts, Draft(text="# Words"))[0].effective_at == local.clock.now.replace(day=24)


# -- what the code does is what a version says --------------------------------------------------


@pytest.mark.clause(
    "8 (head) b", "8(1)", partly="the service does not start with what no published version says"
)
@SOME
def test_a_release_that_does_otherwise_than_any_version_says_does_not_start(local, monkeypatch, name):
    apply, settings, _ = CHANGES[name]
    with local.parts() as parts:
        check(parts)
    with monkeypatch.context() as later_release:
        apply(later_release)
        with local.parts(**settings) as parts:
            with pytest.raises(SetupError, match="python -m service publish --effective DATE"):
                build(parts)
            publish_in(parts, days=7)
            build(parts)
    # The release before may go on, until the day has come; then it is not ready any more.
    with local.running() as running:
        assert running.http.get("/v1/readyz").status_code == 200
        local.clock.move(days=7)
        answer = running.http.get("/v1/readyz")
        assert (answer.status_code, answer.json()["type"]) == (503, "/v1/problems/closed")
        assert "policy" not in answer.text
        with pytest.raises(SetupError, match="says otherwise than this release"):
            check(running.parts)


def test_a_release_with_another_packaged_text_does_not_start(local, monkeypatch):
    with local.parts():
        pass
    monkeypatch.setattr(versions, "policy_text", lambda: "# The next release's words")
    with local.parts() as parts:
        with pytest.raises(SetupError, match="about: the text"):
            build(parts)
        publish(parts, Draft())
        build(parts)
        assert in_force(parts).text == "# The next release's words"


# -- telling everybody --------------------------------------------------------------------------


@pytest.mark.clause("8 (head) b", partly="every account has a notice before the change counts")
def test_five_thousand_accounts_are_told_by_as_many_statements_as_five(each_local):
    def counted(parts):
        statements = []
        event.listen(parts.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
        new = publish_in(parts, days=7, flags=("impact",))
        return new, len(statements)

    with each_local.parts() as parts:
        make_accounts(parts, 0, 5)
        _, few = counted(parts)
        make_accounts(parts, 5, 5000)
        each_local.clock.move(days=1)
        new, many = counted(parts)
        assert many == few
        with parts.database.begin() as session:
            told = session.execute(
                select(func.count(), func.count(func.distinct(Notice.account_id)), func.max(Notice.at)).where(
                    Notice.facts["version"].as_string() == new.version
                )
            ).one()
            accounts = session.scalar(select(func.count()).select_from(Account))
        assert accounts == 5005 - 5
        assert tuple(told) == (accounts, accounts, each_local.clock.now)
        assert told[2] < new.effective_at


def make_accounts(parts, first, end):
    with parts.database.begin() as session:
        now = parts.clock()
        session.add_all(
            Account(
                id=f"{number:032x}",
                handle=b"",
                handle_index=number.to_bytes(32, "big"),
                role="user",
                created_at=now,
                active_at=now,
            )
            for number in range(first, end)
        )


@pytest.mark.clause("8 (head) b", partly="who comes between publication and effect is told, too")
def test_who_comes_while_a_change_is_ahead_is_told_and_who_comes_later_is_not(each_local):
    with each_local.running() as running:
        publish_in(running.parts, days=7, flags=("impact",))
        assert running.person().ask("GET", "/notices").json()["unread"] == 1
        publish_in(running.parts, days=7, text="# Just words")
        assert running.person().ask("GET", "/notices").json()["unread"] == 1
        each_local.clock.move(days=7)
        assert running.person().ask("GET", "/notices").json() == {"unread": 0, "items": []}


@pytest.mark.clause("8 (head) b", partly="every answer says that a notice is unread, until it has been seen")
def test_an_unread_notice_shows_in_every_answer_until_it_is_seen(local):
    with local.running() as running:
        somebody, other = running.person(), running.person()
        assert "facekit-notice" not in somebody.ask("GET", "/me").headers
        publish_in(running.parts, days=7, flags=("impact",))
        for path in ("/me", "/consents", "/policy", "/nowhere", "/notices"):
            shown = somebody.ask("GET", path).headers.get("facekit-notice")
            assert shown == (None if path == "/nowhere" else "unread"), path
        assert "facekit-notice" not in running.http.get("/v1/policy").headers
        (notice,) = somebody.ask("GET", "/notices").json()["items"]
        local.clock.move(minutes=3)
        seen = somebody.ask("POST", f"/notices/{notice['id']}/read").json()
        local.clock.move(minutes=3)
        again = somebody.ask("POST", f"/notices/{notice['id']}/read").json()
        assert seen["read_at"] == again["read_at"] > notice["at"]
        assert "facekit-notice" not in somebody.ask("GET", "/me").headers
        assert other.ask("GET", "/me").headers["facekit-notice"] == "unread"


@pytest.mark.clause("9a", partly="who answers stands in every notice")
def test_a_notice_says_what_changes_from_when_on_and_whom_to_ask_in_the_readers_language(local):
    with local.running(operator_name="Example Ltd") as running:
        somebody = running.person()
        new = publish_in(running.parts, days=7, flags=("impact", "ownership"))
        (english,) = somebody.ask("GET", "/notices").json()["items"]
        (chinese,) = somebody.ask("GET", "/notices?language=zh").json()["items"]
        for one in (english, chinese):
            assert (one["operator"], one["contact"]) == ("Example Ltd", "privacy@example.org")
            assert "2027-01-11" in one["text"]
            assert new.version in one["text"]
        assert "who runs the service; something else that affects you much" in english["text"]
        assert "运营主体；对您有重大影响的其他事项" in chinese["text"]


def test_notices_are_listed_with_those_not_seen_first(each_local):
    with each_local.running() as running:
        somebody = running.person()
        for _ in range(3):
            each_local.clock.move(days=1)
            publish_in(running.parts, days=7, flags=("impact",))
        one, two, three = somebody.ask("GET", "/notices").json()["items"]
        assert one["at"] > two["at"] > three["at"]
        somebody.ask("POST", f"/notices/{one['id']}/read")
        found = somebody.ask("GET", "/notices").json()
        assert found["unread"] == 2
        assert [each["id"] for each in found["items"]] == [two["id"], three["id"], one["id"]]


def test_nobody_reads_anothers_notice(local):
    with local.running() as running:
        somebody = running.person()
        publish_in(running.parts, days=7, flags=("impact",))
        local.clock.move(days=7)
        newcomer = running.person()
        (notice,) = somebody.ask("GET", "/notices").json()["items"]
        assert newcomer.ask("POST", f"/notices/{notice['id']}/read").status_code == 404
        assert newcomer.ask("POST", "/notices/none/read").status_code == 404
        assert running.http.get("/v1/notices").status_code == 401


# -- accepting again ----------------------------------------------------------------------------


@pytest.mark.clause("P-3", partly="a new version has to be accepted before anything else goes on")
def test_a_new_version_is_to_be_accepted_and_what_leads_there_stays_open(local):
    with local.running() as running:
        somebody = running.person()
        new = publish_in(running.parts, days=7, flags=("impact",))
        assert somebody.ask("GET", "/me").status_code == 200
        local.clock.move(days=7)
        refused = somebody.ask("GET", "/me")
        assert (refused.status_code, refused.json()["type"]) == (403, "/v1/problems/policy-not-accepted")
        for path in ("/policy", "/policy/versions", "/notices", "/contact"):
            assert somebody.ask("GET", path).status_code == 200, path
        body = {"version": new.version, "digest": new.digest}
        assert somebody.ask("POST", "/policy/acceptances", json=body).status_code == 201
        assert somebody.ask("GET", "/me").status_code == 200


def test_who_accepts_ahead_goes_on_without_a_break(local):
    with local.running() as running:
        somebody = running.person()
        new = publish_in(running.parts, days=7, flags=("impact",))
        body = {"version": new.version, "digest": new.digest}
        assert running.http.post("/v1/policy/acceptances", json=body).status_code == 409
        assert somebody.ask("POST", "/policy/acceptances", json=body).status_code == 201
        assert somebody.ask("GET", "/me").status_code == 200
        local.clock.move(days=7)
        assert somebody.ask("GET", "/me").status_code == 200


def test_an_acceptance_of_what_is_not_in_force_any_more_opens_nothing(local):
    from service.caller import Caller
    from service.errors import NotAcceptedError

    with local.parts() as parts:
        found = in_force(parts)
        _, token = accept(parts, Caller("192.0.2.0/24"), found.version, found.digest, "en")
        assert parts.gate.acceptance_of(token, "192.0.2.0/24").accepted
        publish_in(parts, days=0, text="# Words")
        with pytest.raises(NotAcceptedError):
            parts.gate.acceptance_of(token, "192.0.2.0/24")


# -- comparing, and ways to publish -------------------------------------------------------------


@pytest.mark.clause("8 (head) a", partly="anybody can compare two versions, words and registers")
def test_anybody_can_compare_two_versions(local, monkeypatch):
    with local.parts() as parts:
        first = in_force(parts)
    change(monkeypatch, "PURPOSES", ads=ADS, **{"device.info": None})
    change(monkeypatch, "RECIPIENTS", ads=ADVERTISER)
    with local.parts(contact="other@example.org") as parts:
        second = publish_in(parts, text=policy_text().replace("for two years", "for three years", 1))
    with local.running(contact="other@example.org") as running:
        there = {"from": first.version, "to": second.version}
        found = running.http.get("/v1/policy/diff", params=there).json()
        assert found["registers"]["purposes"] == {
            "added": ["ads"],
            "removed": ["device.info"],
            "changed": [],
        }
        assert found["registers"]["recipients"]["added"] == ["ads"]
        assert found["registers"]["contact"]["changed"] == ["contact"]
        assert set(found["registers"]) == {"purposes", "recipients", "contact"}
        added = [line for line in found["text"] if line.startswith("+")]
        removed = [line for line in found["text"] if line.startswith("-")]
        assert (len(added), len(removed)) == (1, 1)
        assert "for three years" in added[0]
        back = running.http.get("/v1/policy/diff", params={"from": second.version, "to": first.version})
        assert back.json()["registers"]["purposes"]["removed"] == ["ads"]
        nowhere = {"from": first.version, "to": "0" * 16}
        assert running.http.get("/v1/policy/diff", params=nowhere).status_code == 404
        assert running.http.get("/v1/policy/diff", params={"from": "x", "to": "y"}).status_code == 422


def test_only_an_operator_with_a_second_factor_publishes(local):
    with local.running() as running:
        operator, user = running.person(role="operator"), running.person()
        one_factor = running.person(role="operator")
        with running.parts.database.begin() as session:
            session.execute(
                text("UPDATE sessions SET second_factor_at = NULL WHERE account_id = :one"),
                {"one": one_factor.account},
            )
        body = {"text": "# Words"}
        before = rows(running.parts.database)
        assert running.http.post("/v1/ops/policy/versions", json=body).status_code == 401
        assert user.ask("POST", "/ops/policy/versions", json=body).status_code == 403
        assert one_factor.ask("POST", "/ops/policy/versions", json=body).status_code == 401
        assert rows(running.parts.database) == before
        answer = operator.ask("POST", "/ops/policy/versions", json=body)
        assert answer.status_code == 201
        assert answer.json()["version"]["version"] == in_force(running.parts).version
        late = operator.ask("POST", "/ops/policy/versions", json={"impact": True, "text": "# More"})
        assert (late.status_code, late.json()["type"]) == (422, "/v1/problems/refused")
        for wrong in ({"text": "a\0b"}, {"effective_at": "2027-01-30T00:00:00"}, {"flags": ["impact"]}):
            assert operator.ask("POST", "/ops/policy/versions", json=wrong).status_code == 422, wrong
