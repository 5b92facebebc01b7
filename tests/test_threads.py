"""Work split over threads: all of it is done, errors come out, a fork survives."""

import os
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facekit import threads
from facekit.errors import InputError
from facekit.threads import beside, in_strips, side_by_side, thread_count


@pytest.mark.parametrize("wanted", ["1", "2", "3", "7"])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
def test_strips_cover_every_row_once(monkeypatch, wanted, count):
    monkeypatch.setenv("FACEKIT_THREADS", wanted)
    done = [0] * count
    strips = []

    def work(start, stop):
        strips.append((start, stop))
        for row in range(start, stop):
            done[row] += 1

    in_strips(work, count)
    assert done == [1] * count


@given(count=st.integers(2, 5000), least=st.integers(1, 100), wanted=st.integers(2, 16))
def test_strips_are_large_at_first_and_small_only_at_the_end(count, least, wanted):
    count += 2 * least
    ends = threads._ends(count, min(wanted, count // least), least)
    sizes = np.diff(ends)
    assert (ends[0], ends[-1]) == (0, count)
    assert (sizes > 0).all()
    assert sizes[0] >= max(count // (2 * wanted), least)
    small = sizes < least
    assert sizes[small].sum() <= least
    assert not small[: len(small) - small.sum()].any()
    assert (np.diff(sizes[~small]) <= 0).all()


def test_few_rows_stay_in_one_thread(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "4")
    seen = set()
    in_strips(lambda *_: seen.add(threading.current_thread()), 99, least=50)
    assert seen == {threading.current_thread()}


def test_strips_run_side_by_side(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    both = threading.Barrier(2, timeout=10)
    in_strips(lambda *_: both.wait(), 2)  # would time out one after the other


def test_strip_that_splits_again_does_not_wait_for_itself(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    rows = []
    in_strips(lambda *_: in_strips(lambda a, b: rows.append((a, b)), 6), 2)
    assert rows == [(0, 6), (0, 6)]


@pytest.mark.parametrize("failing", [0, 1])
def test_error_in_any_strip_comes_out_after_all_that_had_begun_have_ended(monkeypatch, failing):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    both, ended = threading.Barrier(2, timeout=10), []

    def work(start, stop):
        both.wait()
        if start == failing:
            raise ZeroDivisionError
        ended.append(start)

    with pytest.raises(ZeroDivisionError):
        in_strips(work, 2)
    assert ended == [1 - failing]


def test_no_strip_begins_after_an_error(monkeypatch, sleepers):
    begun = []

    def work(start, stop):
        begun.append(start)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_strips(work, 100)
    assert begun == [0]


@pytest.fixture
def sleepers(monkeypatch):
    """Two threads are wanted, but the other one does not wake: the jobs that it will find."""
    jobs = []
    pool = threads._Pool()
    monkeypatch.setattr(pool, "offer", lambda job, helpers: jobs.extend([job] * helpers))
    monkeypatch.setattr(threads, "_pool", lambda: pool)
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    return jobs


def test_thread_that_does_not_wake_is_not_waited_for(sleepers):
    by = []
    in_strips(lambda start, stop: by.extend([threading.current_thread()] * (stop - start)), 100)
    assert by == [threading.current_thread()] * 100
    assert len(sleepers) == 1


def summed(calls, before=lambda: None, size=100):
    """Sum up a picture in strips, and return what would keep it alive if anything does."""
    picture = np.ones(size)

    def work(start, stop):
        before()
        calls.append(picture[start:stop].sum())

    in_strips(work, size)
    return weakref.ref(picture)


def test_thread_that_wakes_late_finds_no_work_and_holds_no_picture(sleepers):
    calls = []
    held = summed(calls)
    assert sum(calls) == 100
    assert held() is None
    done = len(calls)
    sleepers[0].help()
    assert len(calls) == done


def test_pool_holds_no_picture_after_the_call(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    both = threading.Barrier(2, timeout=10)
    assert summed([], both.wait, 2)() is None


def test_error_holds_no_picture_once_it_was_dealt_with(sleepers):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        summed([], fail)
    picture = weakref.ref(raised.traceback[-2].frame.f_locals["picture"])
    del raised
    assert picture() is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child must survive it
def test_forked_child_makes_its_own_pool(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    in_strips(lambda *_: None, 2)
    assert threads._pool.cache_info().currsize == 1
    child = os.fork()
    if child == 0:
        done = []
        in_strips(lambda start, stop: done.append(stop - start), 4)
        os._exit(0 if sum(done) == 4 else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("wanted", ["0", "-1", "two", "", "1.5"])
def test_number_of_threads_that_is_none_is_refused(monkeypatch, wanted):
    monkeypatch.setenv("FACEKIT_THREADS", wanted)
    with pytest.raises(InputError, match="FACEKIT_THREADS: expected a whole number from 1 on"):
        thread_count()


def test_threads_follow_the_cores_that_the_process_may_use(monkeypatch):
    monkeypatch.delenv("FACEKIT_THREADS", raising=False)
    assert thread_count() == min(len(os.sched_getaffinity(0)), threads.MOST)


@pytest.mark.parametrize("wanted", ["1", "2", "3"])
def test_functions_side_by_side_return_in_order(monkeypatch, wanted):
    monkeypatch.setenv("FACEKIT_THREADS", wanted)
    assert side_by_side(*(lambda k=k: k * k for k in range(7))) == [k * k for k in range(7)]


def test_work_goes_on_beside_a_block(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    both = threading.Barrier(2, timeout=10)
    with beside(both.wait) as arrived:
        both.wait()  # would time out one after the other
    assert arrived() in (0, 1)


@pytest.mark.usefixtures("sleepers")
def test_work_that_no_thread_takes_up_is_done_at_the_end_of_the_block():
    with beside(threading.current_thread) as worker:
        pass
    assert worker() is threading.current_thread()


def test_block_in_a_strip_does_what_is_beside_it_itself(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")
    workers = []

    def strip(*_):
        with beside(threading.current_thread) as worker:
            pass
        workers.append(worker() is threading.current_thread())

    in_strips(strip, 2)
    assert workers == [True, True]


def test_errors_of_the_block_and_of_the_work_beside_it_come_out(monkeypatch):
    monkeypatch.setenv("FACEKIT_THREADS", "2")

    def fail():
        raise InputError("beside")

    with pytest.raises(InputError, match="beside"), beside(fail):
        pass
    with pytest.raises(InputError, match="block"), beside(int):
        raise InputError("block")
