"""From errors to problem details: every error has its line, and no answer repeats what came in."""

import json

import pytest

from facekit import errors as facekit_errors
from service import errors
from service.problems import MEDIA_TYPE, PROBLEMS, answer, kind_of, problems


def family(root):
    return {root}.union(*(family(one) for one in root.__subclasses__()))


ROOTS = {errors.ServiceError, errors.BodyError}  # only what stands below them is raised


def test_every_error_of_the_service_has_a_line_of_its_own():
    """But for the one that is raised before there is anybody to answer."""
    assert family(errors.ServiceError) - ROOTS - set(PROBLEMS) == {errors.SetupError}


def test_every_error_of_facekit_is_answered_as_one_of_the_caller_or_the_cell():
    for one in family(facekit_errors.FacekitError):
        assert kind_of(one.__new__(one)).status in {403, 410, 413, 422, 429, 503}, one


def test_a_slug_means_one_status_and_one_title():
    kinds = {}
    for kind in PROBLEMS.values():
        assert kinds.setdefault(kind.slug, kind) == kind


def test_an_error_nobody_expected_says_nothing_of_itself():
    response = answer(ValueError("canary-4720"))
    assert response.status_code == 500
    assert b"canary" not in response.body


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.TooManyError("wait", 12.2), {"retry-after": "13"}),
        (facekit_errors.QueueFullError("wait"), {"retry-after": "2"}),
        (errors.RangeError(100), {"content-range": "bytes */100"}),
        (errors.UnknownCallerError("sign in"), {"www-authenticate": "Bearer"}),
    ],
)
def test_what_a_status_asks_for_in_headers_is_there(error, headers):
    response = answer(error)
    assert response.headers["content-type"] == MEDIA_TYPE
    assert response.headers["cache-control"] == "no-store"
    assert {name: response.headers[name] for name in headers} == headers


def test_a_missing_consent_is_named():
    body = json.loads(answer(errors.NoConsentError("face.effect")).body)
    assert (body["status"], body["purpose"]) == (403, "face.effect")
    assert json.loads(answer(errors.NoConsentError("camera", "permission")).body)["permission"] == "camera"


def test_errors_that_share_a_status_share_its_description():
    stated = problems(errors.NotAcceptedError, errors.NoScopeError, errors.AbsentError)
    assert set(stated) == {403, 404}
    assert set(stated[403]["content"][MEDIA_TYPE]["examples"]) == {"policy-not-accepted", "no-scope"}


def test_a_wrong_request_is_told_what_was_wanted_and_not_what_came(server):
    canary = "canary-4721"
    with server.client() as http:
        answers = [
            http.post("/policy/acceptances", json={"version": canary, "digest": "0" * 64}),
            http.post("/policy/acceptances", json={canary: 1}),
            http.post("/policy/acceptances", content=f'{{"{canary}'.encode()),
            http.post("/policy/acceptances", json={"version": {"a": canary}, "language": canary}),
            http.get(f"/{canary}"),
            http.delete("/policy"),
        ]
    assert [one.status_code for one in answers] == [422, 422, 422, 422, 404, 405]
    for one in answers:
        assert one.headers["content-type"] == MEDIA_TYPE
        assert canary not in one.text
        assert one.json()["status"] == one.status_code
