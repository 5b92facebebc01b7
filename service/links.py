"""Links of the OpenAPI document: what an answer gives to ask for next."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

_JOB: Final = {"job_id": "$response.body#/id"}
_ID: Final = {"id": "$response.body#/id"}
_RUN: Final = {"job_id": "$request.path.job_id"}
_CURRENT: Final = {"version": "$response.body#/version", "digest": "$response.body#/digest", "language": "en"}

#: By operation, the operations that its answer leads to, each with what they take from it.
LINKS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = MappingProxyType(
    {
        "read_policy": {
            "accept_policy": {"requestBody": _CURRENT},
            "read_policy_version": {"parameters": {"version": "$response.body#/version"}},
        },
        "ask_for_code": {
            "give_code": {
                "requestBody": {
                    "challenge": "$response.body#/challenge",
                    "phone": "$request.body#/phone",
                    "code": "000000",
                }
            }
        },
        "ask_to_confirm": {
            "confirm_caller": {
                "requestBody": {"challenge": "$response.body#/challenge", "code": "000000"},
            }
        },
        "make_key": {"revoke_key": {"parameters": {"key": "$response.body#/id"}}},
        "list_sessions": {"end_session": {"parameters": {"session": "$response.body#/items/0/id"}}},
        "list_consents": {
            "give_consent": {
                "parameters": {"purpose": "$response.body#/items/0/name"},
                "requestBody": {"digest": "$response.body#/items/0/digest", "language": "en"},
            }
        },
        "give_consent": {
            "withdraw_consent": {"parameters": {"purpose": "$request.path.purpose"}},
            "download_consent_receipt": {"parameters": {"id": "$response.body#/receipt"}},
        },
        "list_notices": {"read_notice": {"parameters": {"id": "$response.body#/items/0/id"}}},
        "start_job": {
            "read_job": {"parameters": _JOB},
            "put_photo": {"parameters": _JOB},
            "follow_job": {"parameters": _JOB},
            "end_job": {"parameters": _JOB},
        },
        "put_photo": {
            "read_job": {"parameters": _RUN},
            "read_result": {"parameters": _RUN},
            "end_job": {"parameters": _RUN},
        },
        "end_job": {"read_receipt": {"parameters": _RUN}},
        "ask": {
            "read_request": {"parameters": _ID},
            "withdraw_request": {"parameters": _ID},
            "read_case": {"parameters": _ID},
        },
        "open_case": {
            "verify_case": {"parameters": _ID},
            "answer_case": {"parameters": _ID},
            "refuse_case": {"parameters": _ID},
        },
        "list_questions_to_answer": {"answer_question": {"parameters": {"id": "$response.body#/items/0/id"}}},
    }
)
