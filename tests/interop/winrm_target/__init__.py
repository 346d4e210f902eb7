"""An independent WinRM target: pyspnego, psrpcore and h11, nothing of the project."""
