"""What the machine's own shell can do with accounts: say who runs the service."""

from argparse import ArgumentParser, Namespace
from typing import Final

from sqlalchemy import delete, select

from service.accounts.store import Account, SecondFactor
from service.commands import Command
from service.errors import AbsentError
from service.logs import Deed
from service.parts import Parts


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("phone", help="the account's number, as +8613800138000")
    parser.add_argument("--revoke", action="store_true", help="take the role away")
    parser.add_argument(
        "--reset-second-factor", action="store_true", help="for who has lost their authenticator"
    )


def _operator(parts: Parts, asked: Namespace) -> str:
    """Clause 4.2.1 p4: no request makes an operator, only whoever has the machine."""
    index = parts.vault.index("phone", asked.phone)
    with parts.database.begin() as session:
        account = session.scalar(select(Account).where(Account.phone_index == index).with_for_update())
        if account is None:
            raise AbsentError("no account has this number: sign in with it once, then try again")
        account.role = "user" if asked.revoke else "operator"
        if asked.revoke or asked.reset_second_factor:
            session.execute(delete(SecondFactor).where(SecondFactor.account_id == account.id))
        pseudonym = parts.logs.pseudonym(account.id)
    parts.logs.write(Deed(deed="operator.revoked" if asked.revoke else "operator.granted", account=pseudonym))
    return "is an operator no longer" if asked.revoke else "is an operator; POST /v1/auth/totp comes next"


COMMANDS: Final = (Command("operator", "make an account an operator's", _arguments, _operator),)
