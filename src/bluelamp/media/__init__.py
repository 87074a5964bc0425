"""Pipelines over video files: facts, poster, storyboard, waveform, viewing copy.

Every pipeline takes a seekable binary file-like object, so that footage never has to lie on the disk in
the clear. Footage that came from outside goes through `sandbox.process`, which runs the pipelines in a
confined child process.
"""
