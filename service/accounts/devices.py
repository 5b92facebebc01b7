"""The little that is known of a device, with consent: to find what does not work together."""

from collections.abc import Mapping
from typing import Final

from service.accounts.store import Device
from service.caller import Caller
from service.consent import service as consent
from service.errors import AbsentError
from service.parts import Parts

FIELDS: Final = ("os", "os_version", "app_version", "locale", "install_id")
PURPOSE: Final = "device.info"


def tell(parts: Parts, caller: Caller, fields: Mapping[str, str]) -> None:
    """Keep what a device says of itself, in the place of what it said before; raises NoConsentError."""
    sealed = {name: parts.vault.seal(caller.account_id, f"devices.{name}", fields[name]) for name in FIELDS}
    with parts.database.begin() as session:
        # Clause 1.3.2(2): only with consent; and whoever gives none uses all the rest.
        consent.require(session, caller.account_id, PURPOSE)
        session.merge(Device(account_id=caller.account_id, used_at=parts.clock(), **sealed))


def read(parts: Parts, caller: Caller) -> dict[str, str]:
    """Return what is kept; raises AbsentError."""
    with parts.database.begin() as session:
        found = session.get(Device, caller.account_id)
    if found is None:
        raise AbsentError("nothing is known of your device")
    return {
        name: parts.vault.open(caller.account_id, f"devices.{name}", getattr(found, name)).decode()
        for name in FIELDS
    }


def forget(parts: Parts, caller: Caller) -> None:
    """Erase what is kept, if anything is."""
    with parts.database.begin() as session:
        found = session.get(Device, caller.account_id)
        if found is not None:
            session.delete(found)
