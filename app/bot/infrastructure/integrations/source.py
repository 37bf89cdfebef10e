"""A source of an integration, as a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from app.bot.application.collecting.polling import Reader
from app.bot.application.rendering.template_builds import without_patterns
from app.bot.domain.components.component import describe_validation_error, parse_config
from app.bot.domain.components.component_templates import with_defaults
from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.integrations.connection import Connection
from app.bot.domain.integrations.definition import CONNECTION, Integration, SourceDefinition
from app.bot.domain.integrations.languages import Languages
from app.bot.domain.readings.reading import Reading
from app.bot.domain.readings.source import DataSource
from app.bot.domain.readings.source_tests import SourceTestResult
from app.bot.infrastructure.integrations.authorizing import Authorizing
from app.bot.infrastructure.integrations.calls import base_address
from app.bot.infrastructure.integrations.exchange import Exchange, Remembered, Requesting
from app.bot.infrastructure.integrations.extraction import Extraction
from app.bot.infrastructure.integrations.pause import Pause
from app.bot.infrastructure.integrations.transport import Transport
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources
from app.bot.infrastructure.threads import in_thread
from app.shared.expressions import CelExpressions
from app.shared.group_patterns import check_group_pattern
from app.shared.jmespaths import check_path
from app.shared.kit.json_schema import schema_errors, schema_problem

_EXPRESSIONS = CelExpressions()
LANGUAGES = Languages(check_path, _EXPRESSIONS.check, check_group_pattern)


class IntegrationSource(Reader):
    """Reads one source by the definition of its type."""

    def __init__(
        self, definition: SourceDefinition, params: Mapping[str, Any], connection: Connection, resources: Resources
    ) -> None:
        self._definition = definition
        self._params = params
        self._connection = connection
        self._resources = resources
        self._remembered = Remembered()
        self._pause = Pause()

    async def read(self) -> Reading:
        """Ask for everything, and take out what the type maps.

        Raises SourceFailedError, RequestFailedError or a secret's error when there is nothing to read.
        """
        result = await self._test(with_failure=False)
        if result.reading is None:
            raise InvalidConfigError(result.error or "There is no reading")
        return result.reading

    async def test(self) -> SourceTestResult:
        """A reading with everything on the way to it. Raises nothing that a source can cause."""
        return await self._test(with_failure=True)

    async def close(self) -> None:
        """Nothing is held."""

    async def _test(self, *, with_failure: bool) -> SourceTestResult:
        secrets = SecretUse(self._resources.secrets)
        exchange = Exchange()
        try:
            params = await _with_secrets(self._params, secrets)
            await self._exchange(params, secrets, exchange)
        except HomelabError as error:
            reason = secrets.hide(str(error))
            if not with_failure:
                raise type(error)(reason) from None
            return SourceTestResult(None, reason, _sent(exchange), secrets.hide_within(exchange.answers), {})
        # Off the event loop: mapping megabytes may take a while. What is shown can hold no secret from here on.
        return await in_thread(lambda: self._mapped(exchange, secrets), "integration")

    async def _exchange(self, params: Mapping[str, Any], secrets: SecretUse, exchange: Exchange) -> None:
        values = {"params": params}
        base = base_address(self._definition.url, values)
        proxy = await secrets.fill(self._connection.proxy, quoted=True)
        transport = Transport(self._resources.session, self._connection, proxy, secrets)
        authorizing = Authorizing(
            self._definition.auth,
            base,
            values,
            transport=transport,
            logins=self._resources.logins,
            secrets=secrets,
        )
        requesting = Requesting(
            self._definition,
            base.with_user(None),
            values,
            authorizing=authorizing,
            transport=transport,
            secrets=secrets,
            remembered=self._remembered,
            pause=self._pause,
        )
        try:
            await requesting.run(exchange)
        finally:
            await authorizing.close()

    def _mapped(self, exchange: Exchange, secrets: SecretUse) -> SourceTestResult:
        answers = secrets.hide_within(exchange.answers)
        extraction = Extraction(self._definition, answers, self._params, _EXPRESSIONS, datetime.now(UTC))
        reading = extraction.reading([secrets.hide(problem) for problem in exchange.problems])
        return SourceTestResult(reading, None, _sent(exchange), answers, extraction.mapped.missing)


def open_integration(type_: Integration, source: DataSource, resources: Resources) -> IntegrationSource:
    """Return a reader for a source of this type. Raises InvalidConfigError that names each wrong field."""
    definition = parse_definition(type_)
    what = f"Config of “{source.name}”"
    given = dict(source.config)
    connection = given.pop(CONNECTION, {})
    if not isinstance(connection, Mapping):
        raise InvalidConfigError(f"{what}: {CONNECTION}: must be a group of settings")
    schema = without_patterns(type_.config_schema)
    params = with_defaults(schema, given)
    errors = schema_errors(schema, params)
    if errors:
        raise InvalidConfigError(f"{what}: " + "; ".join(f"{place}: {text}".lstrip(": ") for place, text in errors))
    return IntegrationSource(
        definition, params, parse_config(Connection, connection, f"{what}: {CONNECTION}"), resources
    )


def parse_definition(type_: Integration) -> SourceDefinition:
    """Return what a type's row says. Raises InvalidConfigError that names each wrong field."""
    what = f"Data source type “{type_.name}”"
    problem = schema_problem(type_.config_schema) if isinstance(type_.config_schema, Mapping) else "is no JSON Schema"
    if problem is not None:
        raise InvalidConfigError(f"{what}: config_schema {problem}")
    if not isinstance(type_.definition, Mapping):
        raise InvalidConfigError(f"{what}: definition is missing; edit the type in the web admin")
    try:
        return SourceDefinition.model_validate(dict(type_.definition), context=LANGUAGES.context())
    except ValidationError as error:
        problems = "; ".join(describe_validation_error(found) for found in error.errors())
        raise InvalidConfigError(f"{what}: definition: {problems}") from None


async def _with_secrets(value: Any, secrets: SecretUse) -> Any:
    """Return the parameters with their secrets; in an address they are percent-encoded.

    Filled before anything else: what a server answers is never looked through for names of secrets.
    """
    if isinstance(value, str):
        return await secrets.fill(value, quoted="://" in value)
    if isinstance(value, Mapping):
        return {key: await _with_secrets(entry, secrets) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [await _with_secrets(entry, secrets) for entry in value]
    return value


def _sent(exchange: Exchange) -> tuple[Mapping[str, Any], ...]:
    return tuple(asdict(sent) for sent in exchange.sent)
