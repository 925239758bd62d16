"""Which permissions a call needs: actions on resources, service by service."""
