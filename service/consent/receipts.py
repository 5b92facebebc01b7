"""Receipts of choices, signed, to keep: records of consent as ISO/IEC TS 27560 [1]_ structures them.

What stands there of the purpose is what the policy's version said when the choice was made: versions are
kept and never changed. What is signed, by Ed25519, is a label and the record as JSON with sorted keys.

References
----------
.. [1] "Privacy technologies: Consent record information structure", ISO/IEC TS 27560:2023.
"""

import json
from base64 import b64encode
from typing import Any, Final, TypeAlias

from sqlalchemy.orm import Session

from service.consent.store import Choice
from service.parts import Parts
from service.policy.store import PolicyVersion
from service.policy.versions import find

Record: TypeAlias = dict[str, Any]

SCHEMA: Final = "ISO/IEC TS 27560:2023; facekit consent receipt 1"
LABEL: Final = b"facekit consent receipt v1\0"
_PATHS: Final = {"purpose": "consents", "permission": "permissions"}


def receipt(parts: Parts, session: Session, choice: Choice) -> Record:
    """Return the signed receipt of a choice."""
    record = _record(parts, choice, find(session, choice.version))
    return {
        "record": record,
        "signature": {
            "algorithm": "Ed25519",
            "key": parts.signer.id,
            "public_key": b64encode(parts.signer.public_bytes).decode(),
            "value": b64encode(parts.signer.sign(signed_bytes(record))).decode(),
        },
    }


def signed_bytes(record: Record) -> bytes:
    """Return what is signed of a record."""
    return LABEL + json.dumps(record, sort_keys=True, separators=(",", ":")).encode("ascii")


def _record(parts: Parts, choice: Choice, version: PolicyVersion) -> Record:
    """Put a choice together with what the policy said of it."""
    # Clause P-3: version, language and digest of what was shown are in every receipt.
    said = version.registries[f"{choice.kind}s"].get(choice.name, {})
    controller = {
        "party_id": "controller",
        "party_name": version.registries["operator"],
        "party_role": "PII controller",
        "party_contact": version.registries["contact"],
    }
    return {
        "schema_version": SCHEMA,
        "record_id": choice.id,
        "pii_principal_id": parts.vault.index("consent principal", choice.account_id or "").hex()[:32],
        "pii_processing": {
            "privacy_notice": {
                "reference": f"/v1/policy/versions/{version.version}",
                "version": version.version,
                "digest": version.digest,
            },
            "language": choice.language,
            "purposes": [_purpose(choice, said)],
            "privacy_rights": version.registries["rights"],
        },
        "parties": [controller, *_recipients(said, version)],
        "events": [
            {
                "event_time": choice.at.isoformat(timespec="milliseconds"),
                "event_type": "explicit consent" if choice.granted else "withdrawal of consent",
                "event_state": "given" if choice.granted else "withdrawn",
                "validity_duration": "until withdrawn, or until the words, data or recipients change",
                "entity_id": "PII principal",
                "method": choice.method,
            }
        ],
    }


def _purpose(choice: Choice, said: Record) -> Record:
    days, words = said.get("days", 0), said.get("words", {})
    return {
        "purpose": choice.name,
        "purpose_type": choice.kind,
        # None where a withdrawal is about words that the version in force had no longer, or not yet.
        "words": words.get(choice.language) if said.get("digest") == choice.digest else None,
        "words_digest": choice.digest,
        "lawful_basis": "consent",
        "pii_information": [{"pii_type": one} for one in said.get("data", [])],
        "pii_controllers": ["controller"],
        "collection_method": "from the PII principal",
        "processing_method": said.get("feature", choice.name),
        "storage_locations": ["the operator's servers"] if days else ["memory only"],
        "retention_period": f"{days:g} days" if days else "until the work is done; at most ten minutes",
        "recipient_third_parties": said.get("recipients", []),
        "withdrawal_method": f"DELETE /v1/{_PATHS[choice.kind]}/{choice.name}",
    }


def _recipients(said: Record, version: PolicyVersion) -> list[Record]:
    known = version.registries["recipients"]
    return [
        {"party_id": name, "party_name": known[name]["words"], "party_role": "third party"}
        for name in said.get("recipients", [])
        if name in known
    ]
