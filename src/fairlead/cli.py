"""The command line. A composition root."""

from __future__ import annotations

import typer

from fairlead.commands import (
    alerting,
    consenting,
    contacting,
    demoing,
    duplicates,
    experimenting,
    governing,
    importing,
    looking,
    messaging,
    noting,
    outbox,
    people,
    preferring,
    rehearsing,
    retaining,
    rights,
    running,
    serving,
    teams,
    touching,
    training,
    workspaces,
)

app = typer.Typer(
    name="fairlead",
    help="Automation that earns its autonomy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("init")(workspaces.init)
app.command("check")(workspaces.check)
app.command("deploy")(workspaces.deploy_command)
app.command("test")(rehearsing.rehearse)
app.command("graph")(rehearsing.graph)
app.command("schema")(rehearsing.schema)
app.command("run")(running.run)
app.command("explain")(rehearsing.explain)
app.command("serve")(serving.serve_command)
app.command("worker")(serving.worker_command)
app.command("demo")(serving.demo)
app.command("demo-data")(demoing.demo_data)
app.command("sign-in")(people.sign_in)
app.command("route")(teams.route)
app.command("touch")(touching.touch)
app.command("first-touch")(touching.first_touch_command)
for group in (
    contacting.contact,
    people.person, teams.team, people.key, governing.grant, governing.policy, governing.stop, looking.cases,
    importing.imports, looking.audit, noting.note,
    duplicates.duplicates, experimenting.experiments, consenting.consent, consenting.notice,
    training.training, training.score,
    preferring.preferences, preferring.why, messaging.message, messaging.mail, outbox.outbox,
    retaining.retention, rights.rights, alerting.alert,
):  # fmt: skip
    app.add_typer(group)


def main() -> None:
    """Entry point of the `fairlead` command."""
    app()


if __name__ == "__main__":
    main()
