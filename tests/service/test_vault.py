"""The vault: what is sealed under an account's key goes with the key, wherever a copy lies."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from service.clock import utc_now
from service.errors import GoneError, SetupError
from service.vault import Vault

PHONE = "+8613912345678"


def opened(folder, clock=utc_now):
    return Vault(f"sqlite:///{folder}/keys.sqlite", folder / "master.key", clock)


@pytest.fixture
def vault(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


def test_what_is_sealed_opens_for_its_account_and_column_only(vault):
    vault.add("a"), vault.add("b")
    sealed = vault.seal("a", "accounts.phone", PHONE)
    assert vault.open_text("a", "accounts.phone", sealed) == PHONE
    for account, column in (("b", "accounts.phone"), ("a", "accounts.handle")):
        with pytest.raises(InvalidTag):
            vault.open(account, column, sealed)


def test_an_opener_opens_one_accounts_columns_and_looks_for_its_key_once(vault):
    vault.add("a"), vault.add("b")
    sealed = [vault.seal("a", f"accounts.{name}", name) for name in ("phone", "handle")]
    opened = vault.opener("a")
    vault.erase("a")  # it has the key already
    assert [opened("accounts.phone", sealed[0]), opened("accounts.handle", sealed[1])] == ["phone", "handle"]
    assert opened("accounts.name", None) is None
    with pytest.raises(InvalidTag):
        opened("accounts.phone", vault.seal("b", "accounts.phone", PHONE))
    with pytest.raises(GoneError):
        vault.opener("a")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A vault with one account, for all examples of a test."""
    made = opened(tmp_path_factory.mktemp("vault"))
    made.add("a")
    yield made
    made.close()


@given(value=st.binary(max_size=200), place=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(deadline=None)
def test_a_changed_bit_is_noticed(kept, value, place, bit):
    sealed = bytearray(kept.seal("a", "t.c", value))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(InvalidTag):
        kept.open("a", "t.c", bytes(sealed))


def test_two_seals_of_the_same_are_different(vault):
    vault.add("a")
    assert vault.seal("a", "t.c", PHONE) != vault.seal("a", "t.c", PHONE)


@pytest.mark.clause("5.3 p2 b", partly="without its key nothing of an account can be read, in any copy")
def test_an_erased_key_takes_with_it_what_it_sealed(vault, tmp_path):
    vault.add("a")
    sealed = vault.seal("a", "accounts.phone", PHONE)
    wrapped = key_row(vault, "a")
    assert wrapped in (tmp_path / "keys.sqlite").read_bytes()  # the canary was there
    vault.erase("a")
    with pytest.raises(GoneError):
        vault.open("a", "accounts.phone", sealed)
    with pytest.raises(GoneError):
        vault.seal("a", "accounts.phone", PHONE)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert wrapped not in left


def key_row(vault, account_id):
    from service.vault import _DataKey

    with vault._database.begin() as session:
        return session.get(_DataKey, account_id).wrapped


def test_an_erased_account_is_known_as_such_and_an_account_without_a_key_is_not(vault):
    vault.add("a"), vault.add("b")
    vault.erase("b")
    assert vault.erased(["a", "b"]) == ("b",)
    with pytest.raises(SetupError, match="belongs to this database"):
        vault.erased(["a", "never seen"])


def test_a_tombstone_tells_no_account(vault, tmp_path):
    account = "0123456789abcdef0123456789abcdef"
    vault.add(account)
    assert account.encode() in (tmp_path / "keys.sqlite").read_bytes()
    vault.erase(account)
    assert account.encode() not in (tmp_path / "keys.sqlite").read_bytes()


def test_tombstones_go_when_no_backup_can_need_them(tmp_path):
    from datetime import timedelta

    now = [utc_now()]
    vault = opened(tmp_path, lambda: now[0])
    vault.add("a")
    vault.erase("a")
    now[0] += timedelta(days=729)
    assert vault.bury() == 0
    now[0] += timedelta(days=2)
    assert vault.bury() == 1
    vault.close()


def test_an_index_is_the_same_for_the_same_and_needs_the_key(vault, tmp_path_factory):
    assert vault.index("phone", PHONE) == vault.index("phone", PHONE)
    assert vault.index("phone", PHONE) != vault.index("code", PHONE)
    other = opened(tmp_path_factory.mktemp("other"))
    assert vault.index("phone", PHONE) != other.index("phone", PHONE)
    other.close()


def test_keys_are_the_same_after_a_restart(tmp_path):
    first = opened(tmp_path)
    first.add("a")
    sealed, index = first.seal("a", "t.c", PHONE), first.index("phone", PHONE)
    first.close()
    second = opened(tmp_path)
    assert second.open("a", "t.c", sealed) == PHONE.encode()
    assert second.index("phone", PHONE) == index
    second.close()


def test_the_master_key_is_made_once_for_its_owner_alone(tmp_path):
    opened(tmp_path).close()
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda key: key.unlink(), "is not there"),
        (lambda key: key.chmod(0o640), "chmod 600"),
        (lambda key: key.write_bytes(b"short"), "expected 32 bytes"),
        (lambda key: key.write_bytes(bytes(32)), "not the key"),
    ],
)
def test_a_master_key_that_cannot_be_the_right_one_is_refused(tmp_path, harm, said):
    opened(tmp_path).close()
    harm(tmp_path / "master.key")
    with pytest.raises(SetupError, match=said):
        opened(tmp_path)
