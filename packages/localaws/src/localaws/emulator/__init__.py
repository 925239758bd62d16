"""The emulator (moto), in this process: every API that is not answered here, and the journal that brings it back."""
