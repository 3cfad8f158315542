"""The one frozen Settings of a server: from arguments, `SOAPSVC_…` variables and a TOML file, in this order.

Owns names, defaults, units and their checks. Knows nothing of how a setting is used.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import Field, IPvAnyNetwork, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as SettingsSourceError

from soapsvc.settings_values import AdminToken, CollectorUrl, Policy, PublicUrl, SessionPlace, shown

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # every interface: no address that a client could use


class SettingsError(Exception):
    """A setting can't be used; the message names it, what came and what is allowed."""


class Settings(BaseSettings):
    """Everything an operator can set; `docs/settings.md` lists them with these descriptions."""

    model_config = SettingsConfigDict(
        env_prefix="SOAPSVC_", env_nested_delimiter="__", frozen=True, extra="forbid", cli_kebab_case=True
    )
    toml_file: ClassVar[Path | None] = None

    host: str = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` for every interface (IPv4).")
    port: int = Field(8080, ge=0, le=65535, description="TCP port; 0 takes any free one, which the start prints.")
    models: Path = Field(
        Path("models"),
        description="Folder that holds `<name>/<version>/model.yaml`; relative to where the server is started.",
    )
    public_url: PublicUrl | None = Field(
        None,
        description="URL under which clients reach this server, with http:// or https:// and perhaps a path; it "
        "stands in every WSDL. Without it: host and port.",
    )
    server: Literal["waitress", "granian"] = Field(
        "waitress",
        description="HTTP server; `granian` is faster and has TLS, and needs `pip install 'soapsvc[granian]'`: "
        "docs/operations.md#granian.",
    )
    tls_certificate: Path | None = Field(
        None,
        description="PEM file of the server's certificate, then those up to its authority; with it https only, TLS "
        "1.2 and 1.3. Granian only.",
    )
    tls_key: Path | None = Field(None, description="PEM file of the certificate's private key, without a password.")
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file of authorities; only clients with a certificate of theirs are let in, to every page.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that serve; the limits that follow hold for each, and each takes its own memory: "
        "docs/operations.md#several-workers.",
    )
    share_constants: Literal["auto", "never"] = Field(
        "auto",
        description="`auto`: several workers hold the large constants of a model once: "
        "docs/operations.md#memory-of-several-workers. `never`: each has its own.",
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description='Addresses and networks, as `["10.0.0.7", "192.168.0.0/16"]`, whose `X-Forwarded-*` and '
        "`Forwarded` headers count.",
    )
    threads: int = Field(8, ge=1, le=256, description="Calls answered at the same time; others wait.")
    max_connections: int = Field(1000, ge=1, description="Connections open at once; more wait to be accepted.")
    max_waiting_requests: int = Field(
        1000,
        ge=1,
        description="Calls that wait for a thread, of all models; beyond them HTTP 503 with Retry-After, before the "
        "message is read.",
    )
    max_buffered_bytes: int = Field(
        1024**3, ge=1024**2, description="Bytes of messages held in memory; beyond them HTTP 503."
    )
    header_timeout_s: float = Field(
        10.0, gt=0, description="Seconds for a request's HTTP headers to arrive; then HTTP 408."
    )
    request_timeout_s: float = Field(
        60.0,
        gt=0,
        description="Seconds for a whole request to arrive (then HTTP 408), and for its answer to be taken (then the "
        "connection is closed).",
    )
    drain_delay_s: float = Field(
        0.0,
        ge=0,
        description="Seconds at stop between `/health/ready` answering 503 and the end of listening; give a load "
        "balancer's check time.",
    )
    drain_timeout_s: float = Field(
        30.0,
        ge=0,
        description="Seconds at stop for calls under way to end and their answers to be taken; then they are lost.",
    )
    max_request_bytes: int = Field(
        16 * 1024**2, ge=1024, description="Largest HTTP body; a larger one is answered with HTTP 413."
    )
    max_mtom_bytes: int = Field(
        64 * 1024**2, ge=1024, description="Largest HTTP body of a message with attachments (MTOM)."
    )
    mtom: Literal["auto", "never"] = Field(
        "auto",
        description="`auto`: messages with attachments are read, and answered to who sends or accepts them. `never`: "
        "they are refused with HTTP 415.",
    )
    gzip: Literal["auto", "never"] = Field(
        "auto",
        description="`auto`: answers of 2 KiB and more are compressed for who accepts it. Compressed requests are "
        "always read.",
    )
    version_labels: dict[str, dict[str, int]] = Field(
        default_factory=dict,
        description='Labels of versions, by model: `{"iris": {"stable": 1}}`. A model\'s `labels.yaml` overrules them: '
        "docs/operations.md#labels.",
    )
    version_policy: dict[str, Policy] = Field(
        default_factory=dict,
        description='Which versions to serve, by model, `*` for all others: `{"latest": 2}`, `"all"` or `{"versions": '
        '[1, 3]}`; without one `{"latest": 1}`.',
    )
    watch_interval_s: float = Field(
        2.0, ge=0, le=86400, description="Seconds between two looks at the models folder; 0 looks only at SIGHUP."
    )
    trial_load: Literal["new", "always", "never"] = Field(
        "new",
        description="Which versions are loaded in a process of their own first: `new`, those found after start; "
        "`always`; `never`.",
    )
    trial_timeout_s: float = Field(
        300.0, gt=0, le=86400, description="Seconds that this process may take for one version."
    )
    contracts: Path | None = Field(
        None,
        description="Folder of published WSDLs, `<model>.wsdl` and `<model>.v2.wsdl`, that every version must keep.",
    )
    pid_file: Path | None = Field(
        None, description="File that holds the process id while the server runs, for `reload`."
    )
    sessions: SessionPlace | None = Field(
        None,
        description="Where conversations are kept: a file, or `redis://[:PASSWORD@]HOST[:PORT][/DATABASE]` "
        "(`rediss://` for TLS), which needs `pip install 'soapsvc[redis]'`. Without it they end with the "
        "server: docs/conversations.md.",
    )
    session_ttl_s: float = Field(1800.0, gt=0, description="Seconds after its last call that a conversation is kept.")
    max_sessions: int = Field(
        100_000, ge=1, description="Conversations kept, of all workers; then the longest idle ones go."
    )
    max_session_bytes: int = Field(
        256 * 1024**2, ge=1024**2, description="Bytes of all conversations; then the longest idle ones go."
    )
    admin_token: AdminToken | None = Field(
        None,
        description="Token, of 16 characters or more, that signs in to the console's actions; without it there are "
        "none. Other users of the machine can read arguments: give it by variable or file: docs/console.md#actions.",
    )
    op_libraries: tuple[str, ...] = Field(
        (),
        description="Python modules that a manifest may name in `requires_ops`. They are imported, so they run: name "
        "only those you trust.",
    )
    pipeline_code: tuple[str, ...] = Field(
        (),
        description="Pipelines, by name, whose folder may hold Python that steps run. It runs with all rights of the "
        "server.",
    )
    message_log: Literal["off", "faults", "all"] = Field(
        "off",
        description="Whose requests and answers stand in the log: `off`, `faults` (of calls that fail), `all`: "
        "docs/settings.md#messages-in-the-log.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log lines to write."
    )
    log_format: Literal["text", "json"] = Field("text", description="Form of log lines; `json`: one object each.")
    tracing: Literal["off", "otlp"] = Field(
        "off",
        description="`otlp`: spans of calls are sent to an OpenTelemetry collector, which needs "
        "`pip install 'soapsvc[tracing]'`: docs/tracing.md.",
    )
    otlp_endpoint: CollectorUrl = Field(
        "http://localhost:4318",
        description="URL of the collector, for OTLP over HTTP, without `/v1/traces` and without credentials.",
    )
    trace_sample_ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the traces that begin here whose spans are sent; of others the caller decides.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=cls.toml_file)
        return init_settings, env_settings, toml

    @property
    def base_url(self) -> str:
        """Where clients find this server: the public URL, or host and port when none is set."""
        host = (
            "localhost"
            if self.host in (*EVERYWHERE, "127.0.0.1")
            else f"[{self.host}]"
            if ":" in self.host
            else self.host
        )
        scheme = "http" if self.tls_certificate is None else "https"
        return self.public_url or f"{scheme}://{host}:{self.port}"


def read_settings(arguments: Sequence[str], program: str = "soapsvc serve") -> Settings:
    """Return the settings of a command line, the environment and the file that `--settings` names.

    program: what `--help` calls the command. Raises SettingsError; `--help` prints the settings and exits.
    """
    file, rest = _settings_file(arguments, program)

    class FromFile(Settings):
        toml_file: ClassVar[Path | None] = file

    try:
        source = CliSettingsSource[Any](FromFile, cli_parse_args=rest, root_parser=_parser(program, add_help=True))
        settings = FromFile(_cli_settings_source=source)
    except ValidationError as err:
        raise SettingsError("\n".join(_line(problem) for problem in err.errors(include_url=False))) from err
    except TOMLDecodeError as err:
        raise SettingsError(f"{file}: not TOML: {err}") from err
    except SettingsSourceError as err:
        raise SettingsError(str(err)) from err
    return Settings.model_construct(**settings.model_dump())


def add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    """Add to a parser what `read_settings` takes, for its help and for completion."""
    _add_file_argument(parser)
    CliSettingsSource[Any](Settings, root_parser=parser)
    for action in parser._actions:
        field = Settings.model_fields.get(action.dest)
        if field is not None and get_origin(field.annotation) is Literal:
            action.choices = get_args(field.annotation)


def _settings_file(arguments: Sequence[str], program: str) -> tuple[Path | None, list[str]]:
    known, rest = _parser(program, add_help=False).parse_known_args(arguments)
    given = known.settings or os.environ.get("SOAPSVC_SETTINGS")
    file = Path(given) if given else None
    if file is not None and not file.is_file():
        raise SettingsError(f"--settings: there is no file {file}")
    return file, rest


def _parser(program: str, add_help: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        program, add_help=add_help, allow_abbrev=False, description="Serve TensorFlow models as SOAP services.",
        epilog="Each setting can also come from the environment, as SOAPSVC_PORT; docs/settings.md tells more.",
    )  # fmt: skip
    _add_file_argument(parser)
    return parser


def _add_file_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", metavar="FILE", help="A TOML file with any of the settings below.")


def _line(problem: Any) -> str:
    name = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; docs/settings.md lists them"
    if name == "admin_token":
        return f"{name}: expected 16 characters or more"  # what came is a secret
    return f"{name}: {str(problem['msg']).removeprefix('Value error, ')} (received {shown(problem['input'])})"
