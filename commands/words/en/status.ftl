# /auth status, and how a sign-in is called and how it is, wherever that is told.

# A sign-in: its name, and whose it is.
described = { $name } ({ $whose })
whose-own = your own
whose-shared = shared by this server
whose-of = of { $who }

health-fresh = works.
health-fresh-retry = works. The last refresh failed, and is tried again { $when } by itself.
health-stale = works. Its access is refreshed as soon as an agent asks.
health-environment = works, with a key that the operator set.
health-key = works, with an API key that the operator set. It comes before every sign-in.
health-token = works, with a token that the operator set. It comes before every sign-in.
health-environment-bad = does not work: the key or token that the operator set for it cannot be used. Only the operator can fix that.
health-backing-off = does not work just now: the last refresh failed. You need do nothing; Latchkey goes on trying.
health-backing-off-until = does not work just now: the last refresh failed. You need do nothing; Latchkey tries again { $when }.
health-no-access = does not work: the provider gives this account no access to it, though its sign-in is good. Get access for it there, and it works again by itself; signing in again with the same account does not help, another account may.
health-operator = does not work: the provider refuses Latchkey itself, not you. Only the operator can fix that; signing in again does not help.
health-uncertain = may have ended: the provider gave no clear answer. Latchkey goes on trying. If it takes too long, sign in again.
health-uncertain-until = may have ended: the provider gave no clear answer. Latchkey tries again { $when }. If it takes too long, sign in again.
health-ended-own = has ended. Sign in again.
health-ended-shared = has ended. Somebody must sign in again.
health-ended-other = has ended. Its owner must sign in again.
health-misconfigured = does not work: it was made under other settings than today's. The operator must restore those, or somebody must sign in again.
health-not-configured = does not work: its provider is no longer offered here. Tell the operator.

fact-account = account { $account }
fact-signed-in-by = signed in by { $who }
fact-token-ends = access ends { $when }
fact-token-ended = access ended { $when }
fact-refreshed = last refreshed { $when }
fact-next-refresh = next refresh { $when }
fact-rests = next refresh when an agent asks
fact-error = The provider said: { $error }

status-nothing = **Nothing is signed in for this thread.**
    Press **Sign in** below, or use { $login }.
status-unreadable = 🔴 **What this thread is to use cannot be read.** Agents get nothing here until the operator has mended it.
status-by-thread = chosen for this thread
status-by-channel = chosen for this thread's channel
status-behind = A sign-in waits behind it: { $facts }
status-damaged-here = its stored sign-in cannot be read. Tell the operator.
status-could-use = this thread uses nothing yet. There is a sign-in that it could use: press **Use another**.
status-empty = not signed in. Press **Sign in**.
status-empty-other = not signed in. Its owner must sign in.
status-silent = -# Not signed in: { $titles }. Use { $login }.
status-more = { $count ->
    [one] One more does not fit here.
   *[other] { $count } more do not fit here.
}
status-more-buttons = { $count ->
    [one] The buttons of one more do not fit here.
   *[other] The buttons of { $count } more do not fit here.
} Use { $login }, { $using } and { $logout }.
status-signed-in-already = **Signed in already.**

status-login-to = to { $name }
status-login-own = with an account of their own
status-login-open-you = You are signing in { $name }; this expires { $when }.
status-login-open = { $who } is signing in { $name }; this expires { $when }.
status-login-checked-you = You are signing in { $name }: the answer is being checked.
status-login-checked = { $who } is signing in { $name }: the answer is being checked.
status-login-confirming-you = You have signed in { $name } with another account: an admin of this server must agree. Without an answer this ends { $when }.
status-login-confirming = { $who } has signed in { $name } with another account: an admin of this server must agree. Without an answer this ends { $when }.

status-owed = { $name }: the provider does not know yet that a former sign-in is over. Next try { $when }; given up { $end }.
status-owed-more = { $count ->
    [one] 🟠 One more provider is to be told of a logout.
   *[other] 🟠 { $count } more logouts are to be told to providers.
}
status-damaged = A stored entry cannot be read: { $entry }. Tell the operator.
status-damaged-more = { $count ->
    [one] 🔴 One more stored entry cannot be read.
   *[other] 🔴 { $count } more stored entries cannot be read.
}

status-sign-in = Sign in
status-sign-in-again = Sign in again
status-refresh = Refresh now
status-use-another = Use another
status-log-out = Log out
status-look-again = Look again
status-show = Show status
# A button, where a message has buttons for several providers.
status-button-of = { $verb }: { $title }

refresh-done = **{ $name } was refreshed.** Agents use the new access from now on.
refresh-lately = **It was refreshed less than a minute ago.** Wait a moment before the next time.
refresh-later = **It could not be refreshed just now.** The sign-in is kept; Latchkey tries again { $when } by itself.
refresh-held = **It is not refreshed now.** How the last refresh ended is not known, and another one could end the sign-in. It is tried { $when } by itself.
refresh-goes-on = **It takes longer than usual.** The refresh goes on by itself; look again in a minute.
refresh-again = **It could not be refreshed just now.** Try again in a minute.
refresh-gone = **There is no sign-in any more.** Sign in first.
refresh-needs-login = **The provider says that this sign-in has ended.** Sign in again.
refresh-as-it-is = **It cannot be refreshed.** It is used as it is.
refresh-not-yours = **You cannot refresh this one.** Only who signed in, or an admin of this server, can.
refresh-no-access = **It could not be refreshed.** The provider gives this account no access to it; the sign-in is kept.
refresh-operator = **It could not be refreshed.** The operator must look at it; the sign-in is kept.
refresh-fault = **It could not be refreshed because of a fault here.** It was written to the log for the operator.
