"""The emulator (moto): every API that is not answered here."""
