"""What a force hands out instead of discs: footage, its label and history, and what proves them.

The format is docs/protocols/package.md.
"""
