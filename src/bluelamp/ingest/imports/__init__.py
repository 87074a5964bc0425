"""Import with reconciliation: files from a folder, a camera's folder or another system's export.

Readers and rules here are pure: bytes and names in, plain values out. `services` takes the files, `queries` and
`views` show where an import stands. Nothing at a source is ever changed or deleted.
"""
