# Somebody signed in to what the server shares, with another account than the one in use.

confirm-use-new = Use the new account
confirm-keep = Keep the present one
confirm-cancel = Cancel
# Where the provider does not say whose account it is.
confirm-nameless = an account without a name
# Where nothing is signed in any more.
confirm-none = nothing
confirm-account-of = { $account }, signed in by { $user }

# The card of whoever signed in.
confirm-waits = ⏳ **Your sign-in to { $name } waits for an admin.**
    You signed in with another account than the one in use here, so an admin of this server must agree. Until then nothing changes.
    You need do nothing more. If nobody decides, this ends { $when } and nothing is stored.
confirm-waits-with = ⏳ **Your sign-in to { $name } waits for an admin.**
    In use here: { $now }
    You signed in as: { $then }
    An admin of this server must agree before yours takes its place. Until then nothing changes.
    You need do nothing more. If nobody decides, this ends { $when } and nothing is stored.
confirm-own = ⚠️ **You signed in to { $name } with another account.**
    In use here: { $now }
    You signed in as: { $then }
    If that was not meant, keep the present one. Otherwise every agent of this server that uses { $name } works with the new account from then on.
    Nothing changes before you decide. Without a decision this ends { $when } and nothing is stored.

# In the thread, for everybody to read: no account is named.
confirm-question = **Should { $name } use another account?**
    { $user } signed in with another account than the one this server uses. Nothing changes before an admin of this server decides. The question ends { $when }.

# For one admin alone, before it takes effect.
confirm-step = **Which account should { $name } use?**
    Now: { $now }
    New: { $then }, signed in by { $user }
    If you agree, every agent of this server that uses { $name } works with the new account, and the present one is logged out. The question ends { $when }.
confirm-changed = ⚠️ **What is in use here has changed meanwhile.** Nothing was decided; please look again.
confirm-only-admins = **Only an admin of this server can decide this.**
    Nothing was changed. { $status } shows how it stands.

# What became of the question, for everybody to read.
confirm-decided-new = ✅ **{ $name } now uses the account of { $user }.**
    { $by } agreed.
confirm-decided-kept = **{ $name } keeps its present account.**
    { $by } decided so. What { $user } signed in with was not stored.
confirm-decided-completed = **There is nothing left to decide: { $by } signed in to { $name } meanwhile.**
    What { $user } signed in with was not stored.
confirm-decided-cancelled = **There is nothing left to decide: { $by } cancelled the sign-in of { $user } to { $name }.**
    Nothing was changed.
confirm-decided-withdrawn = **There is nothing left to decide: { $user } took back the sign-in to { $name }.**
    Nothing was changed.
confirm-decided-removed = **There is nothing left to decide: { $name } was logged out meanwhile.**
    Nothing was stored. Whoever wants to use it signs in again.
confirm-decided-expired = **{ $name } keeps its present account: nobody decided in time.**
    What { $user } signed in with was not stored.
confirm-decided-otherwise = **There is nothing left to decide about { $name }.**
    That sign-in is over.

# The end, on the card of whoever signed in.
confirm-ended-new = ✅ **{ $name } now uses your account: { $account }.**
    { $by } agreed. { $status } shows how it is.
confirm-ended-kept = **{ $name } keeps its present account.**
    { $by } decided so. What you signed in with was not stored. You can sign in with the account in use, or ask an admin of this server.
confirm-ended-expired = **No admin decided about your sign-in to { $name } in time.**
    Nothing was changed. Ask an admin of this server, then sign in again.

# The same in the thread, where the card can no longer be changed.
confirm-told-new = { $user }, an admin agreed: { $name } now uses your account. { $status } shows how it is.
confirm-told-kept = { $user }, an admin decided that { $name } keeps its present account. Nothing was changed.
confirm-told-expired = { $user }, no admin decided about your sign-in to { $name } in time. Nothing was changed. Start again with { $login } when you like.

# In a status.
confirm-status-decide = Decide about { $name }

# The end of an admin's own, who decides it alone.
confirm-ended-kept-admin = **{ $name } keeps its present account.**
    { $by } decided so. What you signed in with was not stored.
confirm-ended-expired-admin = **Your sign-in to { $name } was not decided in time.**
    Nothing was changed. To use the new account, sign in again and decide.
