"""Settings, from the environment: ``FACEKIT_`` and the name; checked at start."""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from service.errors import SetupError

Positive = Annotated[int, Field(gt=0)]
ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,20}$")]


class Provider(BaseModel):
    """An OpenID Connect provider, with whom the operator has registered this service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    client_id: str
    client_secret: SecretStr = SecretStr("")


class Settings(BaseSettings):
    """What the operator decides. Every setting has a default that is safe on one machine."""

    model_config = SettingsConfigDict(env_prefix="FACEKIT_", extra="ignore", frozen=True)

    # -- where --------------------------------------------------------------------------------
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(
        default_factory=lambda: user_data_path("facekit") / "service",
        description="Folder for the database, the keys, the sealed files and the logs.",
    )
    database_url: SecretStr | None = Field(
        None, description="sqlite:///PATH or postgresql://...; by default SQLite in the data folder."
    )
    keys_url: SecretStr | None = Field(
        None,
        description="Where data keys are, apart from the database and its backups.",
    )
    master_key_file: Path | None = Field(
        None,
        description="32 bytes that wrap all data keys, readable by the service alone; made at first start.",
    )

    # -- how it is reached --------------------------------------------------------------------
    tls_cert: Path | None = Field(None, description="Certificate chain, PEM.")
    tls_key: Path | None = Field(None, description="Its private key, PEM.")
    behind_proxy: str = Field(
        "", description="Address of the proxy that ends TLS; its X-Forwarded-For and -Proto are believed."
    )
    public_url: str = Field("", description="How clients reach the service, as in links that it gives.")

    # -- who it talks to ----------------------------------------------------------------------
    sms: Literal["console", "webhook", "none"] = Field(
        "console", description="How codes are sent: console is for development, on loopback only."
    )
    sms_url: str = Field("", description="Where the SMS webhook is.")
    sms_secret: SecretStr = Field(SecretStr(""), description="Signs what is sent there (HMAC-SHA-256).")
    carrier_url: str = Field("", description="Where a carrier's one-click token is exchanged for its number.")
    carrier_secret: SecretStr = Field(SecretStr(""), description="Signs what is sent there.")
    oidc: dict[ProviderName, Provider] = Field(
        default_factory=dict,
        description='OpenID Connect providers, as JSON: {"name": {"issuer", "client_id", "client_secret"}}.',
    )
    webhook_private: bool = Field(
        False, description="Whether job webhooks may go to this machine and private networks, without TLS."
    )

    # -- who runs it --------------------------------------------------------------------------
    operator_name: str = Field("the operator of this installation", description="Named in every notice.")
    contact: str = Field(
        "", pattern=r"^([^@\s]+@[^@\s]+)?$", description="E-mail address of who answers for personal data."
    )
    notice_days: Positive = Field(
        7,
        description="Days for which everybody knows of a change of the policy that matters before it counts.",
    )

    # -- jobs ---------------------------------------------------------------------------------
    jobs: bool = Field(True, description="Take jobs; off where a replica is to do all else, without cells.")
    kem: Literal["x25519", "mlkem768x25519"] = Field(
        "x25519", description="Kind of the cells' keys; the second holds against quantum computers, too."
    )
    plain_uploads: bool = Field(False, description="Take unsealed pictures, too; receipts then say so.")
    largest_upload: Positive = Field(32 * 2**20, description="Bytes of an upload, at most.")
    cells: int | None = Field(
        None, ge=1, description="Jobs that work at a time; by default one for each core."
    )
    standby: Positive = Field(2, description="Cells that wait.")
    leases: Positive = Field(16, description="Jobs that wait for their photo, at most.")
    lease_seconds: float = Field(60, gt=0, le=600, description="How long a job waits for its photo.")
    job_seconds: float = Field(60, gt=0, le=600, description="How long a job may take.")
    result_seconds: float = Field(600, gt=0, le=600, description="How long a result waits to be fetched.")
    queue: Positive = Field(64, description="Jobs that wait for their turn, at most.")
    account_jobs: Positive = Field(8, description="Jobs of one account at a time, at most.")
    allow_weak_cell: bool = Field(False, description="Start where a wall of the cells cannot be had.")

    # -- limits -------------------------------------------------------------------------------
    codes_per_number: Positive = Field(5, description="Codes sent to one number in an hour.")
    codes_per_address: Positive = Field(30, description="Codes asked for from one network in an hour.")
    tries_per_address: Positive = Field(60, description="Failed sign-ins from one network in ten minutes.")
    passwords_per_number: Positive = Field(
        10, description="Wrong passwords for one number in a day, until a code lifts the lock."
    )
    factor_tries: Positive = Field(10, description="Wrong second factors of one account in an hour.")
    handles_per_day: Positive = Field(10, description="Handles that one account may ask for in a day.")
    misses_per_caller: Positive = Field(60, description="Ids that do not exist, asked for in ten minutes.")
    acceptances_per_address: Positive = Field(
        120, description="Acceptances of the policy from one network in an hour."
    )
    questions_per_caller: Positive = Field(10, description="Questions from one account or network in a day.")
    jobs_per_hour: Positive = Field(600, description="Jobs that one account may begin in an hour.")

    # -- logs ---------------------------------------------------------------------------------
    log_stderr: bool = Field(False, description="Write log lines to standard error as well.")

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the environment, over which what is given wins.

        Raises
        ------
        SetupError
            A setting is wrong; the message names it, and not its value.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            raise SetupError("; ".join(_fault(one) for one in error.errors(include_input=False))) from None
        except SettingsError:
            raise SetupError("FACEKIT_OIDC: expected JSON") from None  # the only one that is read as such

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key: give both, or none")
        # Clause 1.2.2(1): nothing travels in clear.
        if not (self.is_loopback or self.tls_cert or self.behind_proxy):
            raise ValueError(
                "host: plain HTTP is for this machine only; give tls_cert and tls_key, "
                "or behind_proxy where a proxy ends TLS"
            )
        # Clause 9a: who answers is named before anybody else can come.
        if (not self.is_loopback or self.behind_proxy) and not self.contact:
            raise ValueError(
                "contact: say who answers for personal data, before others can reach the service"
            )
        if self.sms == "console" and not self.is_loopback:
            raise ValueError(
                "sms: console shows codes on the terminal, so is for loopback only; give webhook"
            )
        if self.sms == "webhook" and not (self.sms_url and self.sms_secret.get_secret_value()):
            raise ValueError("sms: webhook needs sms_url and sms_secret")
        if self.oidc and not self.public_url:
            raise ValueError("oidc: needs public_url, where providers send people back to")
        # Clause 1.2.2(1): what is sent to a provider, and its keys, do not travel in clear either.
        if not all(is_safe(one.issuer) for one in self.oidc.values()):
            raise ValueError("oidc: an issuer begins with https://")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @cached_property
    def database(self) -> str:
        """The database's address."""
        return (
            self.database_url.get_secret_value()
            if self.database_url
            else f"sqlite:///{self.data / 'facekit.sqlite'}"
        )

    @cached_property
    def keys(self) -> str:
        """The key store's address."""
        return (
            self.keys_url.get_secret_value()
            if self.keys_url
            else f"sqlite:///{self.data / 'keys' / 'keys.sqlite'}"
        )

    @cached_property
    def master_key(self) -> Path:
        """The master key's file."""
        return self.master_key_file or self.data / "keys" / "master.key"


def is_safe(url: str) -> bool:
    """Say whether what is sent to an address is read by nobody on the way: TLS, or this machine itself.

    >>> is_safe("https://id.example"), is_safe("http://id.example"), is_safe("http://127.0.0.1:8080")
    (True, False, True)
    """
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _fault(error: Any) -> str:
    name = ".".join(map(str, error["loc"])).upper()
    return f"FACEKIT_{name}: {error['msg']}" if name else error["msg"].removeprefix("Value error, ")
