# /auth use, and choosing among sign-ins.

use-done = ✅ **This thread uses { $now } from now on.**
use-same = **This thread uses { $now } already.**
    Nothing was changed.
use-none = ✅ **This thread's choice for { $provider } was undone.**
    Its agents can't use { $provider } now.
use-none-channel = ✅ **This thread's choice for { $provider } was undone.**
    It uses what is chosen for its channel: { $now }.
use-none-shared = ✅ **This thread's choice for { $provider } was undone.**
    It uses { $now }.
use-none-same = **This thread has chosen nothing for { $provider }.**
    Nothing was changed.
use-before = Before, it used { $before }.
use-before-channel = Before, it used what is chosen for its channel: { $before }.
use-before-shared = Before, it had chosen nothing and used { $before }.
use-before-nothing = Before, it used nothing.
use-key = For now that changes nothing for its agents: the operator set an API key, and that comes before every sign-in.
use-token = For now that changes nothing for its agents: the operator set a token, and that comes before every sign-in.
use-bad = For now that changes nothing for its agents: what the operator set comes before every sign-in, and cannot be used. Only the operator can fix that.
use-personal = Every agent of this thread works with that account now, whoever talks to it.
use-back = To go back: { $using } with { $name }.
use-not-yours = **You can't have this thread use that.**
    You can choose your own sign-ins and those that this server shares.
use-not-signed-in = **{ $name } is not signed in.**
    Sign in first, and this thread uses it. Nothing was changed.
use-not-offered = **{ $provider } is not offered here.**
    Tell the operator. Nothing was changed.
use-held-by = **This thread uses a sign-in of { $who }.**
    Only they or an admin of this server can change that.
use-unknown = **{ $given } is not known here.**
    Choose one from the list that appears while you type, or see { $list }.
use-fault = **Nothing was changed, because of a fault here.**
    It was written to the log for the operator. Try again in a moment; { $status } shows how things stand.
use-which = **Which sign-in of { $provider } is this thread to use?**
use-choose = Choose a sign-in
use-nothing-else = **There is no other sign-in of { $provider } that this thread could use.**
    { $login } makes one.

choice-works = { $name }: works
choice-serves = { $name }: in use here
choice-does-not = { $name }: does not work now
choice-none = { $provider }: what the channel or the server uses

menu-more = { $count ->
    [one] One more does not fit into the menu.
   *[other] { $count } more do not fit into the menu.
} To find them, use { $command } and type a part of the name.
