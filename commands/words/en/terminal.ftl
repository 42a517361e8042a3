# The page that a browser ends on, where a sign-in was started in a terminal of this host. These texts are HTML.

landing-done = Signed in to { $name }
landing-done-text = You can close this page. The terminal goes on by itself.
landing-waits = Signed in with another account
landing-waits-text = The terminal asks whether this account takes the place of the one before. You can close this page.
landing-denied = The sign-in to { $name } was declined
landing-denied-text = The provider says that you did not agree. Nothing was stored. To try again, start the sign-in in the terminal anew.
landing-failed = The sign-in to { $name } failed
landing-failed-text = Nothing was stored. The terminal says why, and what to do next.
landing-odd = That is not the answer to this sign-in
landing-odd-text = It was not used, and nothing is lost: the terminal still waits. Open the link that it shows once more.
landing-foreign = This browser may belong to another user of this host
landing-foreign-text = So its answer was not used, and nothing is lost: the terminal still waits. If you started the sign-in yourself, copy the address of this page, and paste it into the terminal.
landing-in-use = The answer is being checked
landing-in-use-text = The terminal shows how it ends. You can close this page.
landing-not-sent = The provider could not be reached
landing-not-sent-text = Nothing is lost: load this page anew in a moment.
landing-over = That sign-in is over
landing-over-text = Its answer was used already, or it was cancelled, or it took too long. The terminal shows how it stands.
landing-nothing = There is nothing here
landing-nothing-text = A sign-in that was started in a terminal waits here for its answer.
landing-fault = Something went wrong here
landing-fault-text = The terminal says more.
