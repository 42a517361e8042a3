# For those who may not, and for when something went wrong.

not-allowed = **You can't use this here.**
    { $missing }
not-allowed-nobody = Nobody is admitted here yet. Ask an admin of this server to name the roles or people who may sign in.
not-allowed-unlisted = You are not on the list of those who may use it. Ask an admin of this server to add you.
not-allowed-role = You need the role { $role }. Ask an admin of this server for it.
not-allowed-roles = You need one of these roles: { $roles }. Ask an admin of this server.
over-or-unknown = **That sign-in is over.**
    Its message no longer works. Start a new one with the button below or with { $login }.
over-or-unknown-start = Start a new sign-in
foreign-press = **That sign-in is somebody else's.**
    Only the person who started it can finish or cancel it. To sign in yourself, use { $login }.
too-fast = **That was a lot at once.**
    Nothing was done. You can go on { $when }.
went-wrong = **Something went wrong here.**
    The operator finds it in the log. Try again in a moment; { $status } shows how things stand.
closing = **Latchkey is restarting.**
    Nothing is lost. Try again in a minute.
