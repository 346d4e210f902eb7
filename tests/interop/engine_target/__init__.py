"""PowerShell itself behind the front of the independent target, and what is needed to read what it is told."""
