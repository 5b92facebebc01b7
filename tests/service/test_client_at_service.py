"""The typed client at a real service: the whole way of a person, step by step and in one call."""

import secrets

import pytest

from facekit import Client, decode_image, encode_image, load_template, read_image, synthetic_face, write_image
from facekit.errors import ReceiptError, ServiceLostError, ServiceRefusedError
from facekit.keys import KeyPair
from facekit.signing import Signer
from tests.service.serving import Server, new_number


@pytest.fixture(scope="module")
def photo():
    return encode_image(synthetic_face(256, seed=7), "jpeg")


@pytest.fixture
def phone():
    return new_number()


@pytest.fixture
def client(server, phone):
    """Somebody who has accepted, signed in, and turned on what a job from a file needs."""
    with Client(server.url) as one:
        one.accept_policy(one.policy())
        one.sign_in(phone, code=lambda: server.texts.code_for(phone))
        one.consents.turn_on(one.consents.all()["face.effect"])
        one.permissions.turn_on(one.permissions.all()["storage"])
        yield one


def swap(client, photo, **options):
    return client.swap(photo, "stamp", person="me", over_14=True, **options)


@pytest.mark.clause("1.2.2", partly="the whole process: sealed upload, merging, result, erasure, receipt")
def test_a_photo_becomes_a_picture_and_a_verified_receipt_in_one_call(client, photo):
    stages = []
    done = swap(client, photo, options={"format": "webp"}, progress=stages.append)
    assert decode_image(done.picture).shape == load_template("stamp").image.shape
    assert stages == ["opened", "decode", "detect", "warp", "colour", "mask", "blend", "encode"]
    assert (done.receipt.outcome, done.receipt.upload, done.receipt.result_key) == (
        "delivered",
        "sealed",
        "client",
    )
    assert client.jobs.view(done.job).state == "delivered"
    assert client.jobs.receipt(done.job) == done.receipt
    with pytest.raises(ServiceRefusedError) as caught:
        client.jobs.fetch(done.job)
    assert caught.value.type == "/v1/problems/gone"


def test_a_hybrid_key_for_the_result_does_as_well(client, photo):
    done = client.do("swap", photo, template="stamp", person="consenting", over_14=True, kem="mlkem768x25519")
    assert done.receipt.result_key == "client"


def test_a_photo_in_a_file_and_a_picture_in_a_file(client, photo, tmp_path):
    write_image(tmp_path / "me.png", decode_image(photo))
    done = swap(client, tmp_path / "me.png")
    (tmp_path / "out.png").write_bytes(done.picture)
    assert read_image(tmp_path / "out.png").ndim == 3


def test_steps_can_be_taken_one_by_one(client, photo):
    with KeyPair.generate() as keys:
        job = client.jobs.create(
            "swap", template="stamp", person="me", over_14=True, result_key=keys.public_bytes
        )
    assert job.state == "leased"
    client.jobs.upload(job, photo)
    kinds = [(event.number, event.kind) for event in client.jobs.events(job.id)]
    assert [number for number, _ in kinds] == list(range(1, len(kinds) + 1))
    assert client.jobs.wait(job.id).size == len(client.jobs.fetch(job.id))
    assert client.jobs.list()[0].id == job.id
    assert client.jobs.end(job.id) == client.jobs.end(job.id), "ended twice, one receipt"


def test_a_photo_without_a_face_fails_with_the_reason_and_leaves_a_receipt(client):
    with pytest.raises(ServiceRefusedError) as caught:
        swap(client, encode_image(synthetic_face(256, seed=7)[:40], "png"))
    assert caught.value.type == "/v1/problems/no-face"
    (job,) = client.jobs.list()
    assert (job.state, job.problem) == ("failed", "no-face")
    assert client.jobs.receipt(job.id).outcome == "failed"


def test_without_consent_the_purpose_is_named_before_a_byte_goes(client, photo):
    client.consents.turn_off("face.effect")
    with pytest.raises(ServiceRefusedError) as caught:
        swap(client, photo)
    assert caught.value.more == {"purpose": "face.effect"}
    assert client.jobs.list() == ()


def test_a_job_that_is_given_up_is_ended_at_the_service(client, photo):
    def give_up(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap(client, photo, progress=give_up)
    (job,) = client.jobs.list()
    assert job.state in ("cancelled", "delivered")


def test_a_receipt_of_another_signer_is_refused(server, client, phone, photo):
    client.account.confirm(lambda: server.texts.code_for(phone))
    token = client.account.make_api_key("booth", ["jobs:read", "jobs:write"]).token
    with (
        Client(server.url, token, receipt_key=Signer.generate().public_bytes) as other,
        pytest.raises(ReceiptError),
    ):
        swap(other, photo)


def test_a_program_works_with_an_api_key_of_its_own(server, client, phone, photo):
    client.account.confirm(lambda: server.texts.code_for(phone))
    key = client.account.make_api_key("booth", ["jobs:read", "jobs:write"])
    with Client(server.url, key.token) as program:
        assert swap(program, photo).receipt.outcome == "delivered"
        with pytest.raises(ServiceRefusedError) as caught:
            program.consents.all()
        assert caught.value.type == "/v1/problems/no-scope"
        client.account.revoke_api_key(key.id)
        with pytest.raises(ServiceRefusedError) as caught:
            program.jobs.list()
    assert caught.value.status == 401
    assert client.account.api_keys() == ()


def test_an_account_shows_itself_and_changes(server, client, phone):
    account = client.account
    assert account.rename("Lin").name == "Lin"
    assert account.rename(None).name is None
    handle = "otter-" + "".join(secrets.choice("abcdefghij") for _ in range(12))
    assert account.choose_handle(handle).handle == handle
    account.confirm(lambda: server.texts.code_for(phone))
    account.set_password("four otters on a log")
    assert account.me().has_password
    with Client(server.url) as second:
        second.accept_policy(second.policy())
        assert not second.sign_in_with_password(phone, "four otters on a log").created
        assert [one.current for one in account.sessions()].count(True) == 1
        assert len(account.sessions()) == 2
        account.end_other_sessions()
        with pytest.raises(ServiceRefusedError):
            second.account.me()
    account.remove_password()
    assert not account.me().has_password


def test_an_account_has_a_picture_or_a_pattern(client, photo):
    assert b"<svg" in client.account.avatar()
    client.account.set_avatar(photo)
    assert decode_image(client.account.avatar()).shape[0] <= 512
    client.account.remove_avatar()
    assert b"<svg" in client.account.avatar()


def test_somebody_sees_everything_and_leaves(server, client, phone, photo):
    swap(client, photo)
    with pytest.raises(ServiceRefusedError) as caught:
        client.rights.export()
    assert caught.value.type == "/v1/problems/step-up"
    client.account.confirm(lambda: server.texts.code_for(phone))
    export = client.rights.export()
    (account,) = export["tables"]["accounts"]
    assert account["phone"] == phone
    assert {row["name"] for row in export["tables"]["choices"]} == {"face.effect", "storage"}
    assert len(export["tables"]["jobs"]) == 1
    assert export["meaning"]["jobs"]["days"] == 30
    assert {one.recipient for one in client.rights.shared()} <= {
        one.name for one in client.rights.recipients()
    }
    receipt = client.rights.cancel_account()
    assert account["id"] not in str(receipt)
    with pytest.raises(ServiceRefusedError) as caught:
        client.account.me()
    assert caught.value.status == 401


def test_a_request_is_answered_with_the_day_by_which_it_is_carried_out(server, client, phone):
    client.account.confirm(lambda: server.texts.code_for(phone))
    asked = client.rights.ask("correct", text="My name is spelt with two s.")
    assert (asked.kind, asked.text) == ("correct", "My name is spelt with two s.")
    assert (asked.due_at - asked.received_at).days <= 15
    assert [one.id for one in client.rights.requests()] == [asked.id]
    assert any(row["table"] == "accounts" for row in client.rights.annex()["fields"])


def test_after_signing_out_nothing_of_the_session_is_left(server, client):
    client.sign_out()
    with pytest.raises(ServiceRefusedError) as caught:
        client.account.me()
    assert caught.value.status == 401


def test_what_anybody_may_know(server):
    with Client(server.url) as nobody:
        assert "stamp" in {one.name for one in nobody.jobs.templates()}
        (swap_effect,) = [one for one in nobody.jobs.effects() if one.name == "swap"]
        assert swap_effect.takes_template
        assert len(nobody.jobs.receipt_key()) == 32
        assert nobody.policy().registries["purposes"]["face.effect"]["words"]["zh"]


def test_a_service_that_has_gone_is_said_so(tmp_path, texts):
    with Server(tmp_path, texts, {"FACEKIT_JOBS": "false"}) as server, Client(server.url) as client:
        client.policy()
        server.stop()
        with pytest.raises(ServiceLostError, match="cannot be reached"):
            client.policy()
