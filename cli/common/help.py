"""Help texts without what says nothing: types behind switches, and lists of choices that wrap."""

from typing import Any

from typer.core import TyperCommand

#: A longer list of choices does not fit beside its explanation.
MOST_CHOICES = 30


class PlainCommand(TyperCommand):
    """A command whose switches have no type, and whose long lists of choices are named."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, each with the type that its help shows."""
        params = super().get_params(ctx)
        for param in params:
            label = _type_label(param, ctx)
            # The class of the parameters cannot be chosen where they are made.
            setattr(param, "display_type_rich", lambda ctx, label=label: label)  # noqa: ARG005, B010
        return params


def _type_label(param: Any, ctx: Any) -> str | None:
    if getattr(param, "is_bool_flag", False):
        return None
    written = str(param.display_type(ctx))
    return (
        f"<{param.name}>"
        if param.type_descriptor.is_choice and len(written) > MOST_CHOICES
        else written
    )
