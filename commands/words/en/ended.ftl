# A sign-in that is over: on its own message, and in the thread.

ended-by-another = ✅ **{ $name } is signed in.**
    Completed by { $who }. There is nothing left for you to do; { $status } shows whether it works.
ended-signed-in = ✅ **Signed in to { $name }.**
    { $next } { $status } shows whether it works.
ended-signed-in-as = ✅ **Signed in to { $name } as { $account }.**
    { $next } { $status } shows whether it works.
ended-used-here = Every agent in { $thread } uses it from now on.
ended-not-used-here = { $thread } stays with another member's sign-in; an admin of this server can change that.
ended-ready = It is ready to use.

ended-cancelled = **The sign-in to { $name } was cancelled.**
    Nothing was stored. Sign in again when you like.
ended-cancelled-by = **The sign-in to { $name } was cancelled by { $who }.**
    Nothing was stored. Ask them why before you sign in again.
ended-logged-out = **The sign-in to { $name } was stopped, since { $name } was logged out meanwhile.**
    Nothing was stored. Sign in again if you still want to.
ended-not-served = **The sign-in to { $name } was stopped.**
    Nothing was stored. You may no longer sign in on this server; ask an admin.
ended-expired = **The sign-in to { $name } took too long and has expired.**
    Nothing was stored. Sign in again when you have a few minutes.
ended-denied = **The sign-in to { $name } was declined on the provider's page.**
    Nothing was stored. If that was not meant, sign in again and agree there.

ended-failed = ❌ **The sign-in to { $name } failed.**
    { $why }
ended-not-started = Latchkey was restarted just as it was starting. Nothing was stored. Sign in again.
ended-not-stored = You did everything right, but it could not be stored here. Tell the operator, then sign in again.
ended-interrupted = Latchkey was restarted just as your answer was being checked, so it cannot be used any more. Nothing was stored. Sign in again.
ended-other-account = You signed in with another account than the one in use here. Nothing was changed. Sign in with that account, or have it logged out first.
ended-other-owner = What is in use here belongs to another member. Nothing was changed. They or an admin of this server must log it out first.
ended-held-by-other = That very sign-in is another member's here already, and it cannot be in two places. Nothing was changed. Sign in with another account.
ended-held-elsewhere = That very sign-in is here already, as { $holder }, and it cannot be in two places. Nothing was changed. Use that one, or log it out first.
ended-unavailable = The provider gave no usable answer. Nothing was stored. Sign in again in a few minutes.
ended-code-refused = The provider no longer accepted your answer: it came too late, was used before, or belongs to another sign-in. Nothing was stored. Sign in again.
ended-misconfigured = It is not set up right, and only the operator can fix that; the log says what is wrong. Nothing was stored.
ended-misconfigured-says = It is not set up right, and only the operator can fix that. The provider says: “{ $said }”. Nothing was stored.
ended-no-access = Your account has no access to this at the provider. Nothing was stored. Get access for it there, or sign in with another account.
ended-no-access-says = Your account has no access to this at the provider, which says: “{ $said }”. Nothing was stored. Get access for it there, or sign in with another account.
ended-unknown-account = The provider did not say clearly which account you signed in with, so the sign-in was not used, and nothing here was changed. Sign in again in a few minutes; if it fails again, tell an admin of this server.
ended-not-offered = This provider is no longer offered here. Nothing was stored. Ask an admin of this server.
ended-provider-says = The provider says: “{ $said }”. Nothing was stored. Sign in again; if it fails again, tell an admin of this server.
ended-unknown = Nothing was stored. Sign in again; if it fails again, tell an admin of this server.

thread-succeeded = { $who }, your sign-in to { $title } is complete. { $status } shows whether it works.
thread-cancelled = { $who }, your sign-in to { $title } was cancelled. Sign in again with { $login } when you like.
thread-expired = { $who }, your sign-in to { $title } has expired. Sign in again with { $login } when you like.
thread-denied = { $who }, your sign-in to { $title } was declined. Sign in again with { $login } when you like.
thread-failed = { $who }, your sign-in to { $title } failed. Sign in again with { $login } when you like.
