"""What every part of the local AWS uses: the shapes of services and callers, checks of parameters."""
