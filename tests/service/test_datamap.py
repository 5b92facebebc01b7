"""The data map: a column without a class, or a table without a time, does not start."""

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.datamap import CEILING, STAYS, TECHNICAL, Brief, DataClass, Kept, data_map, held
from service.errors import SetupError
from service.tables import Base


def table(kept=None, **columns):
    class Fresh(DeclarativeBase):
        pass

    members = {"__tablename__": "things", "__annotations__": {}}
    if kept is not None:
        members["kept"] = kept
    for name, info in columns.items():
        members["__annotations__"][name] = Mapped[int | None] if info is MAYBE else Mapped[int]
        members[name] = mapped_column(primary_key=name == "id", info=info or {})
    type("Thing", (Fresh,), members)
    return Fresh


ID, AT = held(DataClass.JOB, "number"), held(DataClass.JOB, "when")
MAYBE = held(DataClass.JOB, "when, if ever")


@pytest.mark.clause(
    "1.1.4", "1.4", "4.1a", partly="every column has a class, a purpose and a time within two years"
)
def test_every_column_of_the_service_says_what_it_holds_and_for_how_long():
    rows = data_map(Base)
    assert {(row.table, row.column) for row in rows} == {
        (one.name, column.name) for one in Base.metadata.sorted_tables for column in one.columns
    }
    assert all(0 < row.kept.days <= CEILING.days for row in rows if row.held.personal)
    assert all(row.held.purpose for row in rows)


@pytest.mark.clause("1.2.3b", partly="no column of the service is of a class of faces, or can hold an array")
def test_no_column_can_hold_anything_of_a_face():
    assert "X0" not in {one.code for one in DataClass}
    kinds = {type(column.type).__name__ for one in Base.metadata.sorted_tables for column in one.columns}
    assert kinds <= {"String", "Text", "LargeBinary", "Integer", "BigInteger", "Boolean", "Moment", "JSON"}


@pytest.mark.clause("1.3.2 (head)", partly="safety and compatibility are classes of their own, of 180 days")
def test_technical_data_is_of_two_classes_with_short_times():
    assert {one.code: (one.longest.days, one.basis) for one in TECHNICAL} == {
        "X3": (180, "security"),
        "X4": (180, "consent"),
    }


@pytest.mark.clause("1.3.2(4)a", partly="no column of technical data can be declared to be of no person")
@pytest.mark.parametrize(
    ("base", "said"),
    [
        (lambda: table(None, id=ID), "things does not say how long it is kept"),
        (lambda: table(Kept("at", 30, "nothing"), id=ID, at=None), "things.at does not say what it holds"),
        (lambda: table(Kept("gone", 30, "nothing"), id=ID), "grows old by gone"),
        (lambda: table(Kept("at", 731, "nothing"), id=held(DataClass.OWN, "n"), at=AT), "kept for 731 days"),
        (lambda: table(Kept("at", 0, "nothing"), id=ID, at=AT), "kept for 0 days"),
        (lambda: table(Kept("at", 31, "nothing"), id=ID, at=AT), "longer than class X2"),
        (lambda: table(Kept("at", 30, "delete"), id=ID, at=AT), "has no account_id"),
        (
            lambda: table(Kept("at", 30, "nothing"), id=ID, at=AT, account_id=ID),
            "cannot stay when the account goes",
        ),
        (
            lambda: table(Kept("at", 30, "nothing"), id=ID, at=AT),
            "has what an export shows, and no account_id",
        ),
        (
            lambda: table(Kept("at", 30, "delete"), id=ID, at=MAYBE, account_id=ID),
            "at_latest has to name a moment that never is",
        ),
        (
            lambda: table(Kept("at", 30, "nothing", brief=Brief("gone", 1)), id=ID, at=AT),
            "kept briefly needs one of its columns",
        ),
        (
            lambda: table(Kept("at", 30, "nothing", brief=Brief("id", 30)), id=ID, at=AT),
            "kept briefly needs one of its columns, and fewer days",
        ),
        (lambda: table(STAYS, id=held(DataClass.OWN, "n", personal=False), at=AT), "things.at is personal"),
        (
            lambda: table(Kept("at", 30, "nothing"), id=held(DataClass.DEVICE, "n", personal=False), at=AT),
            "things.id is technical data, which is always personal",
        ),
        (lambda: table(STAYS, id=None), "things.id is personal"),
    ],
)
def test_what_is_missing_or_breaks_a_rule_is_named(base, said):
    with pytest.raises(SetupError, match=said):
        data_map(base())
