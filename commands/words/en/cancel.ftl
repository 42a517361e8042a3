# /auth cancel, and the cancel button.

cancel-done = **The sign-in to { $name } was cancelled.**
    Nothing was stored.
cancel-was-complete = **That sign-in was already complete.**
    It stays in use. To end it, use { $logout }.
cancel-was-over = **That sign-in was already over.**
    Nothing was changed.
cancel-unknown = **Cancelled.**
    No such sign-in is under way any more.
cancel-nothing = **You have no sign-in under way.**
    { $login } starts one.
cancel-which = **Which sign-in do you want to cancel?**
cancel-choose = Choose a sign-in
# An entry of the menu: the provider, and what tells it from the others.
cancel-entry-other = { $entry }, member { $user }
