"""Everything that the OpenAPI document says is put to the test, by requests that are drawn from it.

Nobody has to think of these requests: schemathesis draws them from the schemas, right ones and wrong ones,
and goes from answer to answer by the document's links. Drawn anew, they are the same ones.
"""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.service.backstage import Backstage
from tests.service.photos import allow
from tests.service.serving import Server

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
#: Where the service says that it has no cells at the moment, or that another party did not answer: both are
#: in the document, and no defects.
EXPECTED = ["2xx", "3xx", "4xx", "502", "503"]
EXAMPLES, SCENARIOS, STEPS = 8, 8, 8
HURRIED = {"FACEKIT_LEASE_SECONDS": "1", "FACEKIT_RESULT_SECONDS": "1", "FACEKIT_CELLS": "1"}

drawn = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
walked = settings(drawn, derandomize=False)


@pytest.fixture(scope="module")
def hurried(database, texts, tmp_path_factory):
    """A server whose jobs are over soon: their events are read to the end."""
    with Server(tmp_path_factory.mktemp("hurried"), texts, database() | HURRIED) as running:
        yield running


@pytest.fixture(scope="module")
def schema(hurried):
    with hurried.client() as http:
        document = http.get("/openapi.json").json()
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {
                "deterministic": True,
                "database": "none",
                "allow-extra-parameters": False,  # those of a query that nobody knows are passed over
                "with-security-parameters": False,
            },
            "checks": {
                "not_a_server_error": {"expected-statuses": EXPECTED},
                "negative_data_rejection": {"expected-statuses": ["4xx", "502", "503"]},
            },
        }
    )
    loaded = schemathesis.openapi.from_dict(document, config=config)
    loaded.config.update(base_url=hurried.url)
    return loaded


@pytest.fixture(scope="module")
def backstage(hurried):
    with Backstage(hurried) as opened:
        yield opened


class Caller:
    """Somebody who calls, and signs in again when their session has ended."""

    def __init__(self, server, backstage, kind):
        self._server, self._backstage, self._kind = server, backstage, kind
        self.session = requests.Session()
        self.session.trust_env = False
        self.statuses, self.failures = Counter(), []
        self.begin()

    def begin(self):
        """Become somebody new, with all that is needed turned on."""
        with self._server.person() as person:
            allow(person, permissions=("album", "camera", "storage"))
            scopes = ["account:read", "consent:read", "consent:write", "jobs:read", "jobs:write"]
            made = (
                person.step_up().http.post("/me/api-keys", json={"label": "drawn", "scopes": scopes}).json()
            )
        if self._kind == "operator":
            self._backstage.make_operator(person.account)
        if self._kind == "key":
            token = made["token"]
        else:
            factor = timedelta() if self._kind == "operator" else None
            _, token = self._backstage.session(person.account, fresh=True, second_factor=factor)
        self.token = token

    def may(self, said):
        """Tell whether an operation is worth a try: a person tries them all."""
        others = {"key": "key", "operator": "operator"}
        return self._kind == "person" or any(others[self._kind] in str(one) for one in said["security"])

    def call(self, case):
        """Send a request, and hold its answer to the document; what fails is kept, and stops nothing."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if isinstance(case.body, dict) and str(case.body.get("webhook")).startswith("https://"):
            case.body["webhook"] = "https://127.0.0.1/"  # not to whoever has the name that was drawn
        response = case.call(session=self.session, headers=headers)
        self.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS, headers=headers)
        except FailureGroup as failure:
            self.failures.append(f"{case.operation.label}: {failure}")
        if response.status_code == 401 and "unknown-caller" in response.text:
            self.begin()  # what was drawn had ended the session
        return response


@pytest.fixture(params=["person", "key", "operator"])
def caller(request, hurried, backstage):
    made = Caller(hurried, backstage, request.param)
    yield made
    made.session.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_the_document_says(schema, caller, mode):
    for found in schema.get_all_operations():
        operation, said = found.ok(), found.ok().definition.raw
        if not caller.may(said):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(drawn, max_examples=EXAMPLES)
        def ask(case):
            caller.call(case)

        try:
            ask()
        except Unsatisfiable:  # any text will do for what it takes, or it takes nothing
            assert mode.is_negative
            assert "application/json" not in said.get("requestBody", {}).get("content", {})
    assert caller.failures == []
    assert {status for status in caller.statuses if status >= 500} <= {502, 503}
    assert caller.statuses[422] > 0
    assert mode.is_negative or caller.statuses[200] > 0


def test_what_the_document_does_not_say_is_found(schema, caller):
    """The checks check: an answer that is taken out of the document fails."""
    operation = schema["/v1/consents"]["GET"]
    case = operation.Case()
    caller.call(case)
    assert caller.failures == []
    said = operation.responses._inner.pop("200")
    try:
        caller.call(case)
    finally:
        operation.responses._inner["200"] = said
    assert len(caller.failures) == 1
    assert "Undocumented status code" in caller.failures[0]


def test_from_answer_to_answer_all_is_as_the_document_says(schema, caller):
    followed = Counter()

    class Scenario(schema.as_state_machine()):
        def call(self, case, **_):
            return caller.call(case)

        def after_call(self, response, case):
            super().after_call(response, case)
            followed[case.operation.definition.raw["operationId"]] += 1

        def validate_response(self, response, case, **kwargs):
            """`Caller.call` has done it."""

    for seed in range(SCENARIOS):
        Scenario._hypothesis_internal_use_seed = seed
        # Drawn again, a scenario can go on otherwise, since the answers are others: then it ends there.
        with suppress(FlakyStrategyDefinition):
            Scenario.run(settings=settings(walked, max_examples=3, stateful_step_count=STEPS))
    assert caller.failures == []
    assert followed.total() > SCENARIOS * STEPS / 2
    assert len(followed) > 10
