# /auth logout.

logout-ask = **Log out of { $name }?**
    Somebody must sign in again to use it.
logout-ask-account = **Log out of { $name }, account { $account }?**
    Somebody must sign in again to use it.
logout-reach-server = Every agent of this server that uses it loses it.
logout-reach-server-threads = Every agent of this server that uses it loses it, among them those of { $threads }.
logout-reach-threads = The agents of { $threads } lose it.
logout-reach-nobody = No thread uses it now.
logout-would-end = At the provider these end with it: { $others }.
logout-yes = Log out
logout-keep = Keep
logout-kept = **Nothing was changed.**
    The sign-in stays.
logout-done = **Logged out of { $name }.** It is gone from here.
logout-ended-there = It was ended at the provider too.
logout-not-offered = The provider offers no way to end it from here. To end it there too, remove the access in your account there.
logout-owed = The provider could not be told yet. Latchkey goes on trying for a day; you need do nothing.
logout-refused = The provider refused to end it there ({ $why }). To be sure, remove the access in your account there.
logout-others-ended = At the provider these ended with it: { $others }. They must be signed in again.
logout-others-will-end = Once the provider knows, these end with it: { $others }. They must be signed in again then.
logout-threads = Until somebody signs in again, agents get nothing of it in { $threads }. { $using } chooses another sign-in there.
logout-next = { $login } starts a new sign-in.
logout-not-signed-in = **{ $name } is not signed in.**
    There is nothing to log out.
logout-not-yours = **That is another member's sign-in.**
    They or an admin of this server can log it out.
logout-fault = **Nothing was logged out, because of a fault here.**
    It was written to the log for the operator. Try again in a moment; { $status } shows how things stand.
logout-nothing = **You have nothing to log out.**
    Only who signed in, or an admin of this server, can log out. { $status } shows what this thread uses.
logout-unknown = **{ $given } is not known here.**
    Choose one from the list that appears while you type, or see { $list }.
logout-which = **What do you want to log out?**
logout-choose = Choose a sign-in

and-more = { $named } and { $count } more
