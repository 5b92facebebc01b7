"""What the machine's own shell can do with accounts: say who runs the service."""

from argparse import ArgumentParser, Namespace

from sqlalchemy import delete, select

from service.accounts.store import Account, SecondFactor
from service.errors import AbsentError
from service.logs import Deed
from service.parts import Parts


class Operator:
    """Make an account that there is an operator's."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say what it can be given."""
        parser.add_argument("phone", help="the account's number, as +8613800138000")
        parser.add_argument("--revoke", action="store_true", help="take the role away")
        parser.add_argument(
            "--reset-second-factor", action="store_true", help="for who has lost their authenticator"
        )

    def run(self, parts: Parts, given: Namespace) -> int:
        """Do it; raises AbsentError."""
        # Clause 4.2.1 p4: no request makes an operator, only whoever has the machine.
        index = parts.vault.index("phone", given.phone)
        with parts.database.begin() as session:
            account = session.scalar(select(Account).where(Account.phone_index == index).with_for_update())
            if account is None:
                raise AbsentError("no account has this number: sign in with it once, then try again")
            account.role = "user" if given.revoke else "operator"
            if given.revoke or given.reset_second_factor:
                session.execute(delete(SecondFactor).where(SecondFactor.account_id == account.id))
            pseudonym = parts.logs.pseudonym(account.id)
        deed = "operator.revoked" if given.revoke else "operator.granted"
        parts.logs.write(Deed(deed=deed, account=pseudonym))
        return 0
