"""`models …`: the laboratory. Trains, measures, explains, compares and promotes."""

import typer

from cli.common.help import PlainCommand
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
from cli.models.cards import model_card
from cli.models.feedback import adapt, export_verdicts, recalibrate
from cli.models.populations import fit_population
from cli.models.unlike import fit_unlike
from cli.site import threshold

app = typer.Typer(
    help="The laboratory: train, evaluate, explain, compare and promote.", no_args_is_help=True
)
app.command("list", cls=PlainCommand)(catalogue.list_models)
app.command(cls=PlainCommand)(catalogue.show)
app.command(cls=PlainCommand)(model_card.card)
app.command(cls=PlainCommand)(compare.compare)
app.command(cls=PlainCommand)(registry.add)
app.command(cls=PlainCommand)(registry.shadow)
app.command(cls=PlainCommand)(registry.promote)
app.command(cls=PlainCommand)(registry.rollback)
app.command(cls=PlainCommand)(registry.retire)
app.command(cls=PlainCommand)(registry.golden)
app.command(cls=PlainCommand)(threshold.threshold)
app.command(cls=PlainCommand)(train.train)
app.command(cls=PlainCommand)(tune.tune)
app.command(cls=PlainCommand)(transfer.transfer)
app.command(cls=PlainCommand)(evaluate.evaluate)
app.command(cls=PlainCommand)(reference.reference)
app.command(cls=PlainCommand)(explain.explain)
app.command(cls=PlainCommand)(generate.generate)
app.command("export-verdicts", cls=PlainCommand)(export_verdicts.export_verdicts)
app.command(cls=PlainCommand)(recalibrate.recalibrate)
app.command(cls=PlainCommand)(adapt.adapt)
app.command("fit-population", cls=PlainCommand)(fit_population.fit_population)
app.command("fit-unlike", cls=PlainCommand)(fit_unlike.fit_unlike)
