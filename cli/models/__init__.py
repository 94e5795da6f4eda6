"""`models …`: the laboratory. Trains, measures, explains, compares and promotes."""

import typer

from cli.models import (
    catalogue,
    compare,
    evaluate,
    explain,
    generate,
    reference,
    registry,
    train,
    transfer,
    tune,
)

app = typer.Typer(
    help="The laboratory: train, evaluate, explain, compare and promote.", no_args_is_help=True
)
app.command("list")(catalogue.list_models)
app.command()(catalogue.show)
app.command()(compare.compare)
app.command()(registry.add)
app.command()(registry.promote)
app.command()(registry.rollback)
app.command()(registry.retire)
app.command()(registry.golden)
app.command()(train.train)
app.command()(tune.tune)
app.command()(transfer.transfer)
app.command()(evaluate.evaluate)
app.command()(reference.reference)
app.command()(explain.explain)
app.command()(generate.generate)
