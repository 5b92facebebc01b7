"""A result in parts: by the rules of RFC 9110, told again here in the plainest way."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RangeError
from service.jobs.ranges import part_of
from tests.service.photos import allow, begin, order, put, sealed, wait_for

DATA = bytes(range(256)) * 3000  # several chunks


def reference(size, header):
    """Return the positions that a header asks for; None for all; empty where there are none."""
    found = re.fullmatch(r"(?i:bytes)=[ \t]*(\d*)-(\d*)[ \t]*", header)
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return [k for k in range(size) if k >= size - int(found[2])]
    if found[2] and int(found[2]) < int(found[1]):
        return None
    return [k for k in range(size) if k >= int(found[1]) and (not found[2] or k <= int(found[2]))]


numbers = st.one_of(st.just(""), st.integers(0, 60).map(str), st.integers(0, 10**17).map(str))
headers = st.one_of(
    st.builds("bytes={}-{}".format, numbers, numbers),
    st.builds("BYTES= {}-{}\t".format, numbers, numbers),
    st.builds("bytes={}-{},{}-{}".format, numbers, numbers, numbers, numbers),
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.text("bytes=0123456789-, ", max_size=20),
)


@given(st.integers(0, 50), headers)
def test_a_part_is_what_the_standard_says(size, header):
    wanted = reference(size, header)
    if wanted == []:
        with pytest.raises(RangeError) as raised:
            part_of(size, header)
        assert raised.value.size == size
    else:
        assert part_of(size, header) == (None if wanted is None else (wanted[0], wanted[-1] + 1))


def test_numbers_without_end_are_passed_over():
    assert part_of(10, "bytes=" + "9" * 5000 + "-") is None
    assert part_of(10, "bytes=٣-") is None


@pytest.fixture(scope="module", params=["client", "job"])
def done(request, obedient):
    """A result that waits, sealed to the client or to the job, and its bytes as they are given out."""
    from facekit.keys import KeyPair

    with obedient.person() as somebody:
        allow(somebody)
        keys = KeyPair.generate() if request.param == "client" else None
        job = begin(somebody, keys=keys)
        put(somebody, job, sealed(job, order("echo", rest=DATA)))
        wait_for(somebody, job, "done")
        whole = somebody.http.get(f"/jobs/{job['id']}/result")
        assert (whole.content == DATA) is (keys is None)
        yield somebody, f"/jobs/{job['id']}/result", whole
        somebody.http.delete(f"/jobs/{job['id']}")


@pytest.mark.parametrize(
    "header",
    ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=262143-262144", "bytes=262144-600000", "bytes=5-99999999"],
)
def test_parts_are_parts_of_the_whole(done, header):
    person, path, whole = done
    answer = person.http.get(path, headers={"Range": header})
    start, stop = part_of(len(whole.content), header)
    assert answer.status_code == 206
    assert answer.content == whole.content[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole.content)}"
    assert answer.headers["etag"] == whole.headers["etag"]


def test_parts_that_follow_each_other_make_the_whole(done):
    person, path, whole = done
    got = b""
    while len(got) < len(whole.content):
        header = {"Range": f"bytes={len(got)}-{len(got) + 99_999}", "If-Range": whole.headers["etag"]}
        got += person.http.get(path, headers=header).content
    assert got == whole.content


def test_what_is_not_there_is_refused_with_the_size(done):
    person, path, whole = done
    size = len(whole.content)
    answer = person.http.get(path, headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert person.http.get(path, headers={"Range": "bytes=-0"}).status_code == 416


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=5-4"},
        {"Range": "bytes=0-1", "If-Range": '"another"'},
        {"Range": "bytes=0-1", "If-Range": "Fri, 27 Nov 2026 00:00:00 GMT"},
    ],
)
def test_what_is_no_single_range_gets_the_whole(done, headers):
    person, path, whole = done
    answer = person.http.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.content == whole.content
