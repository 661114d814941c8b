"""The command line. A composition root."""

from __future__ import annotations

import typer

from fairlead.commands import governing, looking, people, running, serving, workspaces

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
app.command("run")(running.run)
app.command("serve")(serving.serve_command)
app.command("worker")(serving.worker_command)
app.command("demo")(serving.demo)
app.command("sign-in")(people.sign_in)
for group in (people.person, people.key, governing.grant, governing.stop, looking.cases, looking.audit):
    app.add_typer(group)


def main() -> None:
    """Entry point of the `fairlead` command."""
    app()


if __name__ == "__main__":
    main()
