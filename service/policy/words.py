"""The words of notices, in each language."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from service.policy.registry import Language

Kind: TypeAlias = Literal["policy", "termination", "inactive", "answer"]

#: For each kind of notice its title and text; in braces, what its facts are.
WORDS: Final[Mapping[Kind, Mapping[Language, tuple[str, str]]]] = MappingProxyType(
    {
        "policy": {
            "en": (
                "The privacy policy changes",
                "From {date} on, version {version} of the privacy policy is in force. What changes: {reasons}. Read it before that day, and what is different. What is new stays off until you consent; what you agreed to goes on unchanged.",
            ),
            "zh": (
                "隐私政策将变更",
                "自{date}起，隐私政策第{version}版生效。变更内容：{reasons}。请在该日期前阅读新版本及其变更之处。新增事项在您同意之前保持关闭；您已同意的事项不受影响。",
            ),
        },
        "termination": {
            "en": (
                "The service ends",
                "The service ends on {date}. From that day on nothing new is taken in, and then everything is erased. Until then you can export what is held of you.",
            ),
            "zh": (
                "服务即将终止",
                "服务将于{date}终止。自该日起不再接收新数据，随后删除全部数据。在此之前您可以导出您的数据。",
            ),
        },
        "inactive": {
            "en": (
                "Your account will be erased",
                "You have not used your account for a long time. It will be erased on {date}, unless you sign in before.",
            ),
            "zh": ("您的账号将被删除", "您已长时间未使用账号。如在{date}前未登录，账号将被删除。"),
        },
        "answer": {
            "en": ("Your question has been answered", "GET /v1/contact shows the answer, until {date}."),
            "zh": ("您的问题已得到答复", "通过 GET /v1/contact 查看答复，保留至{date}。"),
        },
    }
)

#: What changed in a version, as `service.policy.stated.REASONS` and `FLAGS` name it.
REASONS: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        "purposes": {"en": "what data is used for", "zh": "处理目的"},
        "permissions": {"en": "permissions on your device", "zh": "设备权限"},
        "information": {"en": "which information is held, and for how long", "zh": "所保存的信息及期限"},
        "recipients": {"en": "who receives data", "zh": "数据接收方"},
        "rights": {"en": "your rights", "zh": "您的权利"},
        "contact": {"en": "whom to ask", "zh": "联系方式"},
        "ownership": {"en": "who runs the service", "zh": "运营主体"},
        "impact": {"en": "something else that affects you much", "zh": "对您有重大影响的其他事项"},
    }
)
