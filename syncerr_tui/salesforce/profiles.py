"""An org profile: how one org is reached, how its names map, and how it may be treated. Data only.

Reading and writing the files is `profile_files`. A profile never holds a secret, only where one is kept. What
`syncerr-tui setup` asks for has its question beside its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, get_args, get_type_hints

from syncerr_tui.model import Environment, EventType


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept: `env:NAME`, `file:PATH` (mode 0600) or `keyring:SERVICE/USER`."""

    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.where}"


ClientId = Annotated[str, "Consumer key of the app (client_id)"]
Username = Annotated[str, "Username"]
LoginUrl = Annotated[str, "Login address"]
ActionName = Annotated[str, "API name"]
IdInput = Annotated[str, "Input that takes the change event's id"]
_WHERE = "is: env:NAME, file:PATH or keyring:SERVICE/USER"


@dataclass(frozen=True, slots=True)
class SfCliAuth:
    """The login of Salesforce's own CLI. The default."""

    kind: ClassVar[str] = "sf"
    login: ClassVar[str] = "the login of the sf CLI"
    summary: ClassVar[str] = "the login of Salesforce's CLI (recommended)"
    org: Annotated[str, "Alias or username (empty: the CLI's default org)"] = ""
    """Alias or username as `sf org list` knows it; empty means the CLI's default org."""


@dataclass(frozen=True, slots=True)
class EnvironmentAuth:
    """`SYNCERR_INSTANCE_URL` and `SYNCERR_ACCESS_TOKEN`. Nothing renews it."""

    kind: ClassVar[str] = "environment"
    login: ClassVar[str] = "a token that was given, and that is never renewed"
    summary: ClassVar[str] = "a token in SYNCERR_INSTANCE_URL and SYNCERR_ACCESS_TOKEN"


@dataclass(frozen=True, slots=True)
class JwtBearerAuth:
    """OAuth 2.0 JWT bearer: a certificate's private key signs, nobody types anything."""

    kind: ClassVar[str] = "jwt"
    login: ClassVar[str] = "JWT bearer"
    summary: ClassVar[str] = "a certificate's key signs (JWT bearer), for servers"
    client_id: ClientId
    username: Username
    key_file: Annotated[str, "File of the private key (mode 0600)"]
    """PEM file of the private key, mode 0600."""
    login_url: LoginUrl = "https://login.salesforce.com"
    """What the assertion is made out to (its audience): the login or test host."""
    token_url: Annotated[str, "My Domain address (empty: the login address)"] = ""
    """Host that hands out the token, e.g. the My Domain address; empty means `login_url`."""


@dataclass(frozen=True, slots=True)
class ClientCredentialsAuth:
    """OAuth 2.0 client credentials. Works on the My Domain address only."""

    kind: ClassVar[str] = "client-credentials"
    login: ClassVar[str] = "client credentials"
    summary: ClassVar[str] = "key and secret of a connected app"
    client_id: ClientId
    secret: Annotated[SecretRef, f"Where the client secret {_WHERE}"]
    login_url: LoginUrl


@dataclass(frozen=True, slots=True)
class RefreshTokenAuth:
    """OAuth 2.0 refresh token of an earlier web login."""

    kind: ClassVar[str] = "refresh-token"
    login: ClassVar[str] = "refresh token"
    summary: ClassVar[str] = "the refresh token of an earlier web login"
    client_id: ClientId
    refresh_token: Annotated[SecretRef, f"Where the refresh token {_WHERE}"]
    login_url: LoginUrl = "https://login.salesforce.com"
    secret: Annotated[SecretRef | None, f"Where the client secret {_WHERE}"] = None
    """Client secret, where the app wants one."""


@dataclass(frozen=True, slots=True)
class PasswordAuth:
    """Username, password and security token through SOAP login(), which Salesforce retires in June 2027."""

    kind: ClassVar[str] = "password"
    login: ClassVar[str] = "password"
    summary: ClassVar[str] = "user, password, token; Salesforce ends this in June 2027"
    username: Username
    password: Annotated[SecretRef, f"Where the password {_WHERE}"]
    security_token: Annotated[SecretRef | None, "Where the security token is (empty: none)"] = None
    login_url: LoginUrl = "https://login.salesforce.com"


AuthMethod = (
    SfCliAuth | EnvironmentAuth | JwtBearerAuth | ClientCredentialsAuth | RefreshTokenAuth | PasswordAuth
)
AUTH_METHODS: Mapping[str, type[AuthMethod]] = MappingProxyType(
    {method.kind: method for method in get_args(AuthMethod)}
)


@dataclass(frozen=True, slots=True)
class GuidedMethod:
    """A person ticks the rows in the Sync Error Tool; this tool prepares and proves. The default."""

    kind: ClassVar[str] = "guided"
    summary: ClassVar[str] = "you press Re-sync in Salesforce, this tool prepares and proves"
    address: Annotated[str, "Address of the Sync Error Tool (empty: the App Launcher)"] = ""
    """Where the Sync Error Tool is in this org, a path or an address; empty means the App Launcher."""


@dataclass(frozen=True, slots=True)
class FlowMethod:
    """An autolaunched flow that the org's admin names."""

    kind: ClassVar[str] = "flow"
    summary: ClassVar[str] = "an autolaunched flow that your admin names"
    name: ActionName
    """The flow's API name."""
    id_input: IdInput
    """Input variable that takes the change event's id."""


@dataclass(frozen=True, slots=True)
class ApexMethod:
    """An invocable Apex action that the org's admin names."""

    kind: ClassVar[str] = "apex"
    summary: ClassVar[str] = "an invocable Apex action that your admin names"
    name: ActionName
    """The class, with its namespace: `s_c__SomeAction`."""
    id_input: IdInput
    """Input variable that takes the change event's id."""


@dataclass(frozen=True, slots=True)
class ApexRestMethod:
    """An Apex REST resource that the org's admin names. It gets a POST of `{ids_key: [ids]}`."""

    kind: ClassVar[str] = "apexrest"
    summary: ClassVar[str] = "an Apex REST resource that your admin names"
    path: Annotated[str, "Path below /services/apexrest/"]
    """Below `/services/apexrest/`, e.g. `acme/resync`."""
    ids_key: Annotated[str, "Key of the list of ids in the request"] = "ids"


@dataclass(frozen=True, slots=True)
class FieldMethod:
    """Writes a field of the change event, against the vendor's advice never to write change events."""

    kind: ClassVar[str] = "field"
    summary: ClassVar[str] = "write a field of the change event, against the vendor's advice"
    field: Annotated[str, "API name of the field to write"]
    value: Annotated[str, "Value to write"]
    accept_vendor_warning: bool = False
    """The explicit line: without `accept_vendor_warning = true` the method refuses to work."""


@dataclass(frozen=True, slots=True)
class ButtonMethod:
    """The org's own Re-sync button: its call to an Apex method, learned from one recorded press.

    A private call of the package, supported by nobody. Of the recording it holds names and constants only.
    """

    kind: ClassVar[str] = "button"
    summary: ClassVar[str] = "the org's own Re-sync button, learned from one recorded press (unsupported)"
    class_name: str
    """The Apex class, without its namespace."""
    method: str
    params: str
    """The parameters as JSON, with one place for the row ids (`salesforce.button.template`)."""
    namespace: str = "s_c"
    style: str = "lwc"
    """Who called it in the browser: `lwc`, `aura` (an Aura component) or `rest`."""
    calling: str = ""
    """For `aura`: the component's descriptor, such as `markup://s_c:syncErrorTool`."""
    continuation: bool = False
    ids: str = "event"
    """Which id of a row it takes: `event`, `record` or `storeconnect`."""
    length: int = 18
    """Characters of an id as it takes them."""
    package: str = ""
    """Version of the package when it was recorded; empty where it is not known."""
    recorded: str = ""
    """Day of the recording, `2026-11-28`."""

    @property
    def full_name(self) -> str:
        """`s_c.SyncErrorController.retry`, as people write it."""
        return ".".join(filter(None, (self.namespace, self.class_name, self.method)))


Method = GuidedMethod | ButtonMethod | ApexMethod | FlowMethod | ApexRestMethod | FieldMethod
METHODS: Mapping[str, type[Method]] = MappingProxyType({method.kind: method for method in get_args(Method)})


def questions(kind: type[AuthMethod | Method]) -> Mapping[str, str]:
    """Setting -> how a person is asked for it."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}


DEFAULT_EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {str(kind): kind for kind in (EventType.CREATE, EventType.UPDATE, EventType.DELETE)}
)


class RecordPointer(StrEnum):
    """How a change event names the Salesforce record it is about."""

    TEXT = "text"
    LOOKUP = "lookup"
    NONE = "none"
    """It does not: the record is found by its StoreConnect ID alone."""


class FieldRole(StrEnum):
    """What a field of the change event is for. The values are the keys of a profile's mapping."""

    OBJECT = "object"
    EVENT_TYPE = "event_type"
    PROCESSED_AT = "processed_at"
    STORECONNECT_ID = "storeconnect_id"
    MESSAGE = "message"
    STATUS = "status"
    SALESFORCE_ID = "salesforce_id"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """API names of the change event object in one org: discovered by describe, confirmed by a person."""

    object_name: str
    object: str
    """Field that names the object the website wrote."""
    event_type: str
    processed_at: str
    storeconnect_id: str
    message: str
    status: str
    failed: tuple[str, ...]
    """Values of `status` that mean: failed and unresolved."""
    pending: tuple[str, ...] = ()
    """Values of `status` that mean: the org is working on it, or is about to."""
    done: tuple[str, ...] = ()
    """Values of `status` that mean: carried out. Nothing else counts as proof, so that an outcome is UNKNOWN
    where an event went to a value in none of the three lists."""
    status_type: str = ""
    """Type of `status` as describe names it (`boolean`, `multipicklist`, a number); empty means text."""
    status_filterable: bool = True
    """False: the org takes no condition on `status`, so that every change event is read and sorted here."""
    salesforce_id: str | None = None
    pointer: RecordPointer = RecordPointer.NONE
    code: str | None = None
    """Field of the status code; None means it is read from the message."""
    event_types: Mapping[str, EventType] = field(default_factory=lambda: DEFAULT_EVENT_TYPES)
    """The org's value -> what it means. A value that is not here is `EventType.OTHER`."""
    record_key: str = "s_c__sC_Id__c"
    """Field on every synced record that holds its StoreConnect ID: the one name StoreConnect publishes."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every mapped field, once."""
        named = (getattr(self, role.value) for role in FieldRole)
        return tuple(dict.fromkeys(name for name in named if name))


OPTIONAL = frozenset(FieldRole(one.name) for one in fields(FieldMapping) if one.default is None)
"""Roles that an org may do without."""


@dataclass(frozen=True, slots=True)
class FixSettings:
    """What may be fixed in an org from here. Nothing, unless it is written down."""

    allow: tuple[str, ...] = ()
    """Of `record`, `exemption`, `setup`, `safeguard`: how far a fix may reach."""
    sync_user: str = ""
    """Username or id of the user as whom StoreConnect saves: who an exemption may exempt."""
    bypass_permission_sets: tuple[str, ...] = ()
    """API names of permission sets that let this user past rules which look for them."""


@dataclass(frozen=True, slots=True)
class OrgProfile:
    """Everything kept about one org."""

    name: str
    """What the person calls it; also the file's name. Letters, digits, `.`, `_`, `-`."""
    way: AuthMethod = SfCliAuth()
    environment: Environment = Environment.PRODUCTION
    """As the org said at setup. What the org says at connect wins, and PRODUCTION wins over doubt."""
    org_id: str | None = None
    """Organization seen at setup: another one behind the same name is refused at connect."""
    method: Method = GuidedMethod()
    mapping: FieldMapping | None = None
    """None: discovered at connect, and only used where nothing is in doubt."""
    concurrency: int = 4
    """Most requests under way at once."""
    batch_size: int = 50
    """Most rows in one request that changes something."""
    proof_timeout: float = 180.0
    """Seconds to wait for the org's proof before a verdict is UNKNOWN."""
    api_reserve: float = 0.1
    """Share of the org's daily API calls that this tool does not touch."""
    api_version: str = ""
    """REST API version such as `64.0`; empty means the newest that both sides know."""
    read_only: bool = False
    journal: str = ""
    """Where the journal is: a file that several users of this machine share, or `postgresql://...`, a team's
    database. Empty or `sqlite`: each user has a file of their own."""
    journal_password: SecretRef | None = None
    """Where the password of a team's database is kept; None: libpq knows it (`.pgpass`, a service)."""
    reason_required: bool = False
    """True: every re-sync asks for a reason, which the journal keeps."""
    sync_user: str = ""
    """Id of the user as whom StoreConnect Sync writes records; empty where it is not known."""
    fixes: FixSettings = FixSettings()
