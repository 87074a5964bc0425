"""Cases: which recordings belong to one investigation, and who has a role in it."""
