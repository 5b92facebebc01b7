"""What a withdrawn consent erases, in the transaction that withdraws it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from service.accounts.store import Device, Identity
from service.parts import Forget


def _device(session: Session, account_id: str) -> None:
    session.execute(delete(Device).where(Device.account_id == account_id))


def _identities(session: Session, account_id: str) -> None:
    """Erase the identifiers of providers; they sign nobody in any more."""
    session.execute(delete(Identity).where(Identity.account_id == account_id))


#: Clause 5.4: by purpose.
FORGET: Final[Mapping[str, Forget]] = MappingProxyType(
    {"device.info": _device, "login.third_party": _identities}
)
