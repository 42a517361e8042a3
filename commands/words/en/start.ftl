# Before a sign-in: what is asked back, and why one could not be started.

start-which = **Where do you want to sign in?**
start-choose = Choose where to sign in
start-unknown = **{ $given } is not offered here.**
    Choose one of those that are:
start-nothing = **There is nothing to sign in to yet.**
    Ask the operator to add a provider to Latchkey's configuration.
start-wrong-profile = **{ $given } cannot be the name of a profile.**
    Use only the letters a to z, digits, dots, underscores and hyphens, at most 64 of them.
start-log-out = Log out
start-retry = Try again

start-gone = **{ $name } is no longer offered here.**
    Start a new sign-in to choose another provider, or ask an admin of this server.
start-no-way = **{ $name } no longer offers this way to sign in here.**
    Press **Try another way**.
start-no-way-at-all = **There is no way to sign in to { $name } here.**
    Ask the operator to look at this provider's configuration.
start-too-often = **You have started many sign-ins just now.**
    You can start the next one { $when }.
start-too-often-here = **Many members of this server are signing in just now.**
    The next sign-in can start { $when }.
start-too-many-open = **You have as many sign-ins open at once as there may be: { $most }.**
    Finish or cancel one of them. Otherwise, the first ends by itself { $when }, and you can start another.
start-too-many-kept = **You keep as many sign-ins of your own as there may be: { $most }.**
    Log out one that you no longer need, then try again.
start-not-yours = **The sign-in to { $name } belongs to another member.**
    They or an admin of this server must log it out first.
start-unreachable = **{ $name } could not be reached.**
    Nothing was started. Try again in a moment.
start-winding-up = **An earlier sign-in to { $name } is still ending.**
    Nothing was started. Try again in a minute.
start-switched-off = **{ $name } has this way to sign in switched off.**
    Nothing was started. Press **Try another way**.
start-switched-off-only = **{ $name } has the only way to sign in from here switched off.**
    Nothing was started. Ask an admin of this server; once it is switched on, try again.
start-misconfigured = **The sign-in to { $name } is not set up right.**
    Nothing was started. Only the operator can fix this; the log says what is wrong.
start-misconfigured-says = **The sign-in to { $name } is not set up right.**
    Nothing was started. Only the operator can fix this. The provider says: “{ $said }”.
start-fault = **The sign-in to { $name } could not be started, because of a fault here.**
    The operator finds it in the log. Try again in a moment.

start-none-ready = **There is nothing to sign in to yet.**
    The operator has to finish setting it up: tell an admin of this server.
start-not-ready = **Nobody can sign in to { $name } here yet.**
    The operator has to finish setting it up: tell an admin of this server.
start-bad-environment = **Nobody can sign in to { $name } here.**
    The key or token that the operator set for it cannot be used: tell an admin of this server.
start-key-serves = **Nobody needs to sign in to { $name } here.**
    Its agents use an API key that the operator set.
start-token-serves = **Nobody needs to sign in to { $name } here.**
    Its agents use a token that the operator set.
start-unsupported = **{ $title } is not supported.**
    { $why }
start-those-that-are = Choose one of those that are:
