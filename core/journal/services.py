"""What the journal says of each service: its newest deployment, and those it can go back to.

An environment may have a thousand services and a hundred thousand deployments. Each question here
goes from name to name through an index and takes the few newest of each, so that it costs by the
number of services and not by the length of their past.
"""

from __future__ import annotations

from core.journal.database import Database
from core.model import EngineName
from core.records import Deployment, Target

NAMES = """
WITH RECURSIVE names(name) AS (
    SELECT min(service) FROM deployments WHERE project = ?1 AND environment = ?2
    UNION ALL
    SELECT (SELECT min(service) FROM deployments
            WHERE project = ?1 AND environment = ?2 AND service > name)
    FROM names WHERE name IS NOT NULL)
"""
"""The services of one environment; the last of them is NULL."""

_SERVICES = """
WITH RECURSIVE services(project, environment, service) AS (
    SELECT * FROM (SELECT project, environment, service FROM deployments
                   ORDER BY project, environment, service LIMIT 1)
    UNION ALL
    SELECT next.project, next.environment, next.service
    FROM services AS known CROSS JOIN deployments AS next
    WHERE next.rowid = coalesce(
        (SELECT rowid FROM deployments WHERE project = known.project
            AND environment = known.environment AND service > known.service
            ORDER BY service LIMIT 1),
        (SELECT rowid FROM deployments WHERE project = known.project
            AND environment > known.environment ORDER BY environment, service LIMIT 1),
        (SELECT rowid FROM deployments WHERE project > known.project
            ORDER BY project, environment, service LIMIT 1)))
"""
"""The services of all environments."""

_ALL = "SELECT * FROM services"

_NEWEST = """
SELECT body FROM names CROSS JOIN deployments ON id = (
    SELECT id FROM (
        SELECT * FROM (
            SELECT id, created_at AS at FROM deployments
            WHERE project = ?1 AND environment = ?2 AND service = name
            ORDER BY created_at DESC, id LIMIT 1)
        UNION ALL
        SELECT * FROM (
            SELECT id, activated_at AS at FROM deployments
            WHERE project = ?1 AND environment = ?2 AND service = name
                AND activated_at IS NOT NULL
            ORDER BY activated_at DESC, id LIMIT 1))
    ORDER BY at DESC, id LIMIT 1)
WHERE name IS NOT NULL ORDER BY name
"""

# The conditions, and the order, are those of the index `deployments_returnable`.

_RETURNABLE = """
SELECT body FROM deployments
WHERE project = ?1 AND environment = ?2 AND service = ?3
    AND activated_at IS NOT NULL AND status = 'succeeded'
ORDER BY json_extract(body, '$.stage') = 'rolled_back', activated_at DESC LIMIT ?4
"""

_EARLIER = """
SELECT body FROM names CROSS JOIN deployments ON id = (
    SELECT id FROM deployments
    WHERE project = ?1 AND environment = ?2 AND service = name
        AND activated_at IS NOT NULL AND status = 'succeeded'
        AND (json_extract(body, '$.stage') = 'rolled_back') = 0 AND is_active = 0
    ORDER BY activated_at DESC LIMIT 1)
WHERE name IS NOT NULL ORDER BY name
"""

_KEPT = """
FROM services CROSS JOIN deployments AS kept ON kept.rowid IN (
    SELECT rowid FROM deployments
    WHERE project = services.project AND environment = services.environment
        AND service = services.service
        AND activated_at IS NOT NULL AND status = 'succeeded'
    ORDER BY json_extract(body, '$.stage') = 'rolled_back', activated_at DESC LIMIT ?1)
"""


_ARTIFACT = " SELECT coalesce(json_extract(kept.body, '$.engine'), 'process'), kept.artifact_id"
_ID = " SELECT kept.id"


class Services(Database):
    """Questions about single services, or about each of them."""

    async def newest_per_service(self, target: Target) -> list[Deployment]:
        """The newest deployment of each service that an environment ever had, by service.

        One that a rollback has started again is as new as that.
        """
        named = (target.project, target.environment)
        return await self._read(Deployment, NAMES + _NEWEST, *named)

    async def returnable(self, target: Target, service: str, limit: int) -> list[Deployment]:
        """The newest deployments of a service that were active and may be again.

        Those that a rollback would choose by itself come before those that it takes only by name.
        What is active is among them.
        """
        named = (target.project, target.environment, service)
        return await self._read(Deployment, _RETURNABLE, *named, limit)

    async def earlier_per_service(self, target: Target) -> list[Deployment]:
        """What a rollback would start again by itself, by service."""
        named = (target.project, target.environment)
        return await self._read(Deployment, NAMES + _EARLIER, *named)

    async def returnable_artifacts(self, limit: int) -> set[tuple[EngineName, str]]:
        """The artifacts of the newest that each service of all environments may go back to."""

        def work() -> set[tuple[EngineName, str]]:
            rows = self._open_connection().execute(_SERVICES + _ARTIFACT + _KEPT, (limit,))
            return {(EngineName(engine), artifact) for engine, artifact in rows}

        return await self._call(work)

    async def returnable_ids(self, limit: int) -> set[str]:
        """The ids of these newest deployments."""

        def work() -> set[str]:
            rows = self._open_connection().execute(_SERVICES + _ID + _KEPT, (limit,))
            return {id_ for (id_,) in rows}

        return await self._call(work)

    async def services_with_history(self) -> list[tuple[Target, str]]:
        """Every service of every environment that has a deployment."""

        def work() -> list[tuple[Target, str]]:
            rows = self._open_connection().execute(_SERVICES + _ALL)
            return [(Target(project, environment), name) for project, environment, name in rows]

        return await self._call(work)
