"""A group of commands that answers an unknown name with the nearest one."""

import click

from postrank.suggestions import nearest


class CommandGroup(click.Group):
    """A click group; subclasses may look their commands up in another way."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown name is rejected with the one that is most like it."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            listed = "" if (hint := nearest(args[0], names)) else f"; commands: {', '.join(names)}"
            ctx.fail(f"No such command {args[0]!r}{hint}{listed}.")
        return super().resolve_command(ctx, args)
