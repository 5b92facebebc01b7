"""What the policy speaks of, as data: purposes, permissions, recipients, rights.

A version of the policy is its text and these registries (`service.policy.stated`). Where they change, so
must the version (`service.policy.versions.publish`), and comparing them finds what changed that matters.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from service.datamap import Basis

Language = Literal["en", "zh"]
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Purpose:
    """Something that data is used for only with consent.

    Parameters
    ----------
    words : mapping of language to str
        The text that is shown, and whose digest a consent names.
    data : tuple of str
        What is used.
    recipients : tuple of str
        Who gets it, of `RECIPIENTS`.
    days : float
        How long it is kept.
    tracking : bool
        Whether ``Sec-GPC: 1`` keeps it off.
    """

    words: Mapping[str, str]
    data: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    days: float = 0
    tracking: bool = False

    @property
    def digest(self) -> str:
        """The digest of all of it: a consent to other words, data or recipients is no consent to this."""
        return _digest({**asdict(self), "words": dict(self.words)})


@dataclass(frozen=True, slots=True)
class Permission:
    """Something on the person's device that a feature of the client needs.

    Parameters
    ----------
    words : mapping of language to str
        The text that is shown.
    feature : str
        The one feature that is off without it.
    """

    words: Mapping[str, str]
    feature: str

    @property
    def digest(self) -> str:
        """The digest of its words."""
        return _digest({"words": dict(self.words), "feature": self.feature})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Another party that gets something.

    Parameters
    ----------
    words : str
        Who it is.
    purposes, fields : tuple of str
        What for, and which fields it may have; no others.
    basis : {"consent", "contract", "legal duty", "security"}
        On what ground.
    """

    words: str
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    basis: Basis


# Clauses 1.2.2, 1.3 (head) b: what needs a consent of its own. A new line is off for everybody.
PURPOSES: Final[Mapping[str, Purpose]] = MappingProxyType(
    {
        "face.effect": Purpose(
            {
                "en": "You upload a photo, sealed. The server finds the points of the face (eyes, nose, mouth) and "
                "puts the face into the template you chose. You get the result back. The photo is erased as soon as "
                "it has been analysed, and the result as soon as you have it, or after ten minutes. Nobody else gets "
                "any of it, and nothing is kept.",
                "zh": "您上传经加密的照片。服务器找出面部特征点（眼睛、鼻子、嘴巴），将面部融合到您选择的模板中，并将结果返回给您。"
                "照片在分析完成后立即删除；结果在您收到后或十分钟后删除。不会提供给任何第三方，也不会保留任何内容。",
            },
            ("the photo", "the points of the face", "the result"),
        ),
        "login.one_click": Purpose(
            {
                "en": "Your carrier tells us the phone number of this device, so that you can sign in without a code.",
                "zh": "经您同意，运营商向我们提供本机号码，用于免验证码登录。",
            },
            ("phone number",),
            ("carrier",),
            730,
        ),
        "login.third_party": Purpose(
            {
                "en": "Another account of yours, with the provider that you choose, signs you in here. We get an "
                "identifier from the provider, and nothing else that you do not ask for.",
                "zh": "您可使用所选第三方平台的账号登录。我们仅从该平台获取一个标识符，除非您另行要求，不获取其他信息。",
            },
            ("identifier at the provider",),
            ("oidc",),
            730,
        ),
        "device.info": Purpose(
            {
                "en": "Your system, its version, the app's version and your language, to find what does not work "
                "together. No identifier of your hardware.",
                "zh": "操作系统及版本、应用版本和语言，用于发现兼容性问题。不收集任何硬件标识。",
            },
            ("system", "versions", "language", "a random number that you can reset"),
            (),
            180,
        ),
    }
)

# Clauses 1.3.3(1), 1.3.8(1), 1.3.8(2): each gates its own feature, and no other.
PERMISSIONS: Final[Mapping[str, Permission]] = MappingProxyType(
    {
        "storage": Permission(
            {"en": "Read and save pictures on this device.", "zh": "读取和保存本设备上的图片。"},
            "save results",
        ),
        "album": Permission(
            {"en": "Choose a picture from your album.", "zh": "从相册中选择图片。"}, "photos from the album"
        ),
        "camera": Permission(
            {"en": "Take a picture with your camera.", "zh": "使用相机拍摄照片。"}, "photos from the camera"
        ),
    }
)

RECIPIENTS: Final[Mapping[str, Recipient]] = MappingProxyType(
    {
        "sms": Recipient("who sends text messages for us", ("account.code",), ("phone", "code"), "contract"),
        "carrier": Recipient("your phone's carrier", ("login.one_click",), ("token",), "consent"),
        "oidc": Recipient(
            "the provider of another account of yours",
            ("login.third_party",),
            ("grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"),
            "consent",
        ),
        "webhook": Recipient("an address that you chose", ("job.state",), ("job", "state", "at"), "contract"),
    }
)

# Clause 8(4): what a person can ask for; a change of it is found by comparing.
RIGHTS: Final = ("access", "correct", "erase", "export", "withdraw", "cancel", "appeal")


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
