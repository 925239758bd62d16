"""How a row's failure leaves a function: its message begins with the error's name."""


def failed(name: str, message: str) -> ValueError:
    return ValueError(f"{name}: {message}")
