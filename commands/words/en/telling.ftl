# What everybody in a thread reads about its sign-ins; what a member is told directly; a sign-in that rests.

telling-needs-login = 🔴 **New sign-in needed: { $name }**
    The old sign-in has ended. Agents of this thread can't use it until somebody signs in again.
telling-needs-login-own = 🔴 **New sign-in needed: { $name }**
    { $owner }, your sign-in has ended. Agents of this thread can't use it until you sign in again.
telling-works-again = 🟢 **{ $name } works again.**
    The provider accepts the old sign-in again; nobody has to do anything.
telling-works-again-by = 🟢 **{ $name } works again.**
    The new sign-in is by { $who }. Agents of this thread can go on.
telling-left = ⚪ **{ $name } is no longer available here.**
    It was the sign-in of { $owner }, who has left this server. If you want to use your own, sign in with { $login }.
telling-not-admitted = ⚪ **{ $name } is no longer available here.**
    It was the sign-in of { $owner }, who may no longer sign in on this server. If you want to use your own, sign in with { $login }.
telling-served-again = 🟢 **{ $name } works again.**
    { $owner } may sign in on this server again, and the old sign-in still stands. Agents of this thread can go on.
telling-sign-in = Sign in
telling-not-yours = **This sign-in belongs to { $owner }.**
    Only they can sign in to it again. To sign in yourself, and have this thread use that, use { $login }.

# The health of a sign-in, behind its name: "Acme: …".
telling-rests-left = is paused: its owner has left this server.
telling-rests-not-admitted = is paused: its owner may no longer sign in here.

direct-succeeded = ✅ **Your sign-in to { $name } on { $server } is complete.**
    I could not tell you in the thread where you started it. { $status } in any thread there shows how it is.
direct-cancelled = **Your sign-in to { $name } on { $server } was cancelled.**
    I could not tell you in the thread where you started it. To start again, use { $login } in any thread there.
direct-expired = **Your sign-in to { $name } on { $server } has expired.**
    I could not tell you in the thread where you started it. To start again, use { $login } in any thread there.
direct-denied = **Your sign-in to { $name } on { $server } was declined.**
    I could not tell you in the thread where you started it. To start again, use { $login } in any thread there.
direct-failed = **Your sign-in to { $name } on { $server } failed.**
    I could not tell you in the thread where you started it. To start again, use { $login } in any thread there.
direct-kept = **{ $name } on { $server } keeps its present account.**
    An admin decided so. What you signed in with was not stored. I could not tell you in the thread where you started it.
direct-unconfirmed = **No admin of { $server } decided about your sign-in to { $name } in time.**
    Nothing was changed. I could not tell you in the thread where you started it. To start again, use { $login } in any thread there.
