"""The papers of a package: its label, the custody report, and the page to read first."""
