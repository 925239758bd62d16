"""The gateway: one endpoint that routes each call to the service that answers it, and logs it."""
