"""Encoders and decoders, one file each."""
