"""Jobs journalled by DBOS; the only module that knows DBOS (decision record 0002)."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowSerializationFormat

from fairlead.errors import ConflictError, InputError, UnavailableError
from fairlead.jobs.journal import SCHEMA, journal_engine, journal_url
from fairlead.jobs.local import LocalRunner, checked_payload
from fairlead.jobs.model import JobFunction, Payload, guarded
from fairlead.kit.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_KEY_CHARS = 200
_WORKFLOW = "fairlead.job"
_RECOVERIES = 1
_QUEUE_POLL_S = 1.0
_SWEEP_S = 60.0
_BATCH = 500
_ORPHAN_AGE = timedelta(days=1)
_KEYED_AGE = timedelta(days=7)
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

_in_use = threading.Lock()  # DBOS is one per process


class DbosRunner:
    """A JobRunner whose jobs are DBOS workflows, one each, run in this process's own threads.

    A job is journalled when it starts and when it ends. After a crash, the next start with the same
    `executor_id` runs an unfinished job once more, so functions must check that they are still wanted; with
    another id it is left to the sweep. With `rate_per_s` a job goes through a DBOS queue instead: the rate
    holds over all processes of the database, whichever registered the name runs it, and it starts up to a
    second later. Keys are remembered for a week; the rows of other finished jobs go after `keep_s`.
    """

    def __init__(self, database_url: str, executor_id: str, *, app_version: str = "1", keep_s: float = 300.0) -> None:
        """`executor_id`: one living process each, the same after a restart. `app_version`: of the payloads.

        SQLite: DBOS's tables go to `jobs.sqlite` beside our file; Postgres: to the schema `fairlead_jobs`.
        """
        self._url = journal_url(database_url)
        self._executor_id = executor_id
        self._app_version = app_version
        self._keep = timedelta(seconds=keep_s)
        self._pool = LocalRunner()
        self._functions: dict[str, JobFunction] = {}
        self._queues: dict[str, tuple[int, float]] = {}
        self._running = 0
        self._change = threading.Condition()
        self._closing = threading.Event()
        self._workflow: Callable[[str, dict[str, Any]], str] | None = None
        self._engine: sa.Engine | None = None
        self._open = False

    def register(self, name: str, fn: JobFunction, *, concurrency: int = 1, rate_per_s: float | None = None) -> None:
        """See JobRunner."""
        if rate_per_s is None:
            self._pool.register(name, self._run_journalled, concurrency=concurrency)
        else:
            self._pool.register(name, self._enqueue)
            self._queues[name] = (max(1, concurrency), rate_per_s)
        self._functions[name] = fn

    def every(self, name: str, seconds: float, fn: Callable[[], None]) -> None:
        """See JobRunner; ticks are not journalled."""
        self._pool.every(name, seconds, fn)

    def submit(self, name: str, payload: Payload, *, key: str | None = None) -> None:
        """See JobRunner; returns before anything is written. InputError for a key over 200 characters."""
        if key is not None and len(key) > MAX_KEY_CHARS:
            message = f"a job's key has {len(key)} characters, {MAX_KEY_CHARS} are allowed"
            raise InputError(message)
        checked_payload(payload)
        envelope = {"name": name, "payload": dict(payload), "id": f"key:{name}:{key}" if key else None}
        self._pool.submit(name, envelope, key=key)

    def start(self) -> None:
        """ConflictError when this process has another one, UnavailableError without a database."""
        if not _in_use.acquire(blocking=False):
            message = "another DbosRunner is running in this process"
            raise ConflictError(message)
        self._open = True
        try:
            self._launch()
        except sa.exc.SQLAlchemyError as error:
            self._destroy()
            message = f"the job journal cannot be opened: {type(error).__name__}"
            raise UnavailableError(message) from error
        self._pool.every("fairlead-journal", _SWEEP_S, self.forget_finished)
        self._pool.start()

    def stop(self, timeout_s: float) -> bool:
        """See JobRunner; up to one second more than `timeout_s` to close the journal."""
        deadline = time.monotonic() + timeout_s
        if not self._open:
            return True
        ended = self._pool.stop(timeout_s)
        with self._change:
            ended &= self._change.wait_for(lambda: not self._running, max(0.0, deadline - time.monotonic()))
        self._closing.set()
        closer = threading.Thread(target=self._destroy, name="fairlead-journal-close", daemon=True)
        closer.start()
        closer.join(max(1.0, deadline - time.monotonic()))
        return ended and not closer.is_alive()

    def pending(self, name: str) -> int:
        """See JobRunner; a job with a rate counts until it is queued."""
        return self._pool.pending(name)

    def idle(self) -> bool:
        """See JobRunner; jobs waiting in a DBOS queue belong to no process and do not count."""
        return self._pool.idle() and not self._running

    def forget_finished(self) -> None:
        """Delete old rows of the journal, so that it does not grow; happens every minute by itself.

        Finished jobs without a key after `keep_s`, jobs of a dead executor after a day, keys after a week.
        """
        self._forget("job_", self._keep, _ENDED)
        self._forget("job_", _ORPHAN_AGE, ["PENDING"])
        self._forget("key:", _KEYED_AGE, [*_ENDED, "PENDING"])

    def _forget(self, prefix: str, age: timedelta, status: list[str]) -> None:
        before = (datetime.now(UTC) - age).isoformat()
        while not self._closing.is_set():
            rows = DBOS.list_workflows(
                status=status,
                end_time=before,
                workflow_id_prefix=prefix,
                limit=_BATCH,
                load_input=False,
                load_output=False,
            )
            if rows:
                DBOS.delete_workflows([row.workflow_id for row in rows])
            if len(rows) < _BATCH:
                return

    def _launch(self) -> None:
        journal = logging.getLogger("dbos")
        if not journal.handlers:  # a logger with a handler gets no console handler from DBOS
            journal.addHandler(logging.NullHandler())
        self._engine = journal_engine(self._url, self._closing)
        config = DBOSConfig(
            name="fairlead",
            system_database_url=self._url.render_as_string(hide_password=False),
            system_database_engine=self._engine,
            dbos_system_schema=SCHEMA,
            executor_id=self._executor_id,
            application_version=self._app_version,
            log_level="WARNING",
            enable_otlp=False,
            use_listen_notify=False,
            notification_listener_polling_interval_sec=0.25,  # looks at memory only; bounds the time to stop
            scheduler_polling_interval_sec=3600.0,
        )
        DBOS(config=config)
        self._workflow = DBOS.workflow(
            name=_WORKFLOW,
            max_recovery_attempts=_RECOVERIES,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
        )(self._body())
        DBOS.listen_queues([_queue(name) for name in self._queues])
        DBOS.launch()
        for name, (concurrency, rate) in self._queues.items():
            limit = max(1, int(rate))
            DBOS.register_queue(
                _queue(name),
                worker_concurrency=concurrency,
                limiter={"limit": limit, "period": limit / rate},
                polling_interval_sec=_QUEUE_POLL_S,
            )

    def _body(self) -> Callable[[str, dict[str, Any]], str]:
        def body(name: str, payload: dict[str, Any]) -> str:
            """What DBOS keeps of a job: its name, its payload and one word; never an exception's text."""
            fn = self._functions.get(name)
            if fn is None or self._closing.is_set():
                return "skipped"
            with self._change:
                self._running += 1
            try:
                return "done" if guarded(f"job {name}", lambda: fn(payload)) else "failed"
            finally:
                with self._change:
                    self._running -= 1
                    self._change.notify_all()

        return body

    def _run_journalled(self, envelope: Payload) -> None:
        job_id = envelope["id"]
        if job_id is not None and DBOS.get_workflow_status(job_id) is not None:
            return
        assert self._workflow is not None  # noqa: S101  set before any thread of the pool starts
        with SetWorkflowID(job_id or new_id("job")):
            self._workflow(envelope["name"], envelope["payload"])

    def _enqueue(self, envelope: Payload) -> None:
        assert self._workflow is not None  # noqa: S101  as above
        with SetWorkflowID(envelope["id"] or new_id("job")):
            DBOS.enqueue_workflow(_queue(envelope["name"]), self._workflow, envelope["name"], envelope["payload"])

    def _destroy(self) -> None:
        try:
            DBOS.destroy(destroy_registry=True)
            if self._engine is not None:
                self._engine.dispose()
        finally:
            self._open = False
            _in_use.release()


def _queue(name: str) -> str:
    return f"fairlead.{name}"
