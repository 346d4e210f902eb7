"""Who there is."""

PASSWORD = "Sesam-öffne-dich 7!"
# With their groups. `nobody` has no role.
ACCOUNTS = {"ops": (), "other": (), "viewer": ("viewers",), "nobody": (), "scripter": ()}
