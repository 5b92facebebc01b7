"""Other people in a photo: a second face needs a statement of its own, and only the cell sees it."""

import numpy as np
import pytest

from facekit import encode_image, synthetic_face
from facekit.errors import ConsentError
from facekit.works import swap
from tests.service.photos import allow, begin, hand_in, wait_for


@pytest.fixture(scope="module")
def two():
    """A photo of two people who do not exist."""
    pair = np.concatenate([synthetic_face(384, seed=3).copy(), synthetic_face(384, seed=8).copy()], axis=1)
    return encode_image(pair, "jpeg")


@pytest.mark.clause(
    "1.3.3 note", partly="a photo with a second face is refused where nothing was said of others"
)
def test_a_second_face_that_nothing_was_said_of_is_refused(two):
    asked = {"template": "stamp", "format": "webp"}
    with pytest.raises(ConsentError, match="somebody else"):
        swap(bytearray(two), asked | {"alone": True}, str)
    assert swap(bytearray(two), asked | {"alone": False}, str)
    alone = encode_image(synthetic_face(384, seed=3), "jpeg")
    assert swap(bytearray(alone), asked | {"alone": True}, str)


@pytest.mark.clause("1.3.3 note", partly="the statement about others is the job's, and reaches its cell")
@pytest.mark.parametrize(("others", "state", "problem"), [(False, "failed", "others"), (True, "done", None)])
def test_the_job_of_such_a_photo_says_what_is_missing(server, two, others, state, problem):
    with server.person() as somebody:
        allow(somebody)
        said = {"person": "me", "over_14": True, "others": others}
        job = begin(somebody, attestation=said)
        hand_in(somebody, job, two)
        found = wait_for(somebody, job, "done", "failed")
        assert (found["state"], found["problem"]) == (state, problem)
        somebody.http.delete(f"/jobs/{job['id']}")
