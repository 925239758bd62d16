"""Judgement over the state of the streamer."""
