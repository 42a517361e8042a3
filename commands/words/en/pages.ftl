# The pages in the browser, where a hosted sign-in ends. These texts are HTML.

page-confirm = Is this your sign-in?
page-confirm-text = You have just signed in at { $name }. Before that is used, check who asked for it:
page-fact-who = Started by, in Discord
page-fact-where = Discord server
page-fact-provider = Signs in to
page-confirm-own = If you go on, the agents of { $who } will work with <strong>the account that you have just used</strong>.
page-confirm-shared = If you go on, every agent on { $server } will work with <strong>the account that you have just used</strong>, whoever asks them.
page-confirm-yes = Yes, that is me: sign in
page-confirm-no = No, this is not me
page-confirm-warning = Did somebody send you a link that led here? Then press No. Otherwise their agents would work with your account.
page-who-id = the member { $id }
page-who-id-full = the member with the Discord id <strong>{ $id }</strong><br><span class="handle">Discord could not say the name just now. Compare the id with your own, or come back in a minute.</span>
page-notice-not-sent = The provider could not be reached just now. Nothing is lost: try once more in a moment.
page-notice-fault = Something went wrong here, and it was written to the log for the operator. Nothing is lost: try once more in a moment.

page-in-use = The sign-in to { $name } is being checked
page-in-use-text = An answer to it is being used at this moment. Discord shows how it ends; you can close this page.

page-dropped = Nothing was signed in
page-dropped-text = Good that you looked. Your account was not connected to anything here. Close this page, and tell whoever sent you the link that you do not sign in for them.
page-dropped-mistake = If { $name } lists Latchkey among the programs that you allowed, you can remove it there. Was it your own sign-in after all? Open its link in Discord once more.

page-done = Signed in to { $name }
page-done-account = You are signed in as { $account }.
page-done-no-account = Your account is ready to use.
page-done-other = { $name } is signed in
page-done-other-text = Somebody else was faster: there is nothing left for you to do.
page-close = You can close this page. Discord shows the sign-in too.
page-confirming = An admin has to agree
page-confirming-text = You signed in with another account than the one in use here, so an admin of the Discord server must agree first. Discord shows how it goes on; you can close this page.
page-cancelled = The sign-in to { $name } was cancelled
page-removed = The sign-in to { $name } was stopped
page-expired = The sign-in to { $name } took too long
page-denied = The sign-in to { $name } was declined
page-denied-text = The provider says that you did not agree. Nothing was stored.
page-failed = The sign-in to { $name } failed
page-nothing-stored = Nothing was stored.
page-again = To try again, start a new sign-in in Discord.
page-why-not-stored = You did everything right, but it could not be stored here. Tell the operator.
page-why-interrupted = Latchkey was restarted just as your answer was being checked. Nothing was stored.
page-why-other-account = You signed in with another account than the one in use. Nothing was changed. Sign in with that account, or have it logged out first.
page-why-other-owner = What is in use there belongs to another member. Nothing was changed. They or an admin of the Discord server must log it out first.
page-why-held-elsewhere = The provider gave a sign-in that stands in another place here already. Nothing was changed. Use that one, or log it out first.
page-why-provider = The provider answered: { $text }. Nothing was stored.

page-issuer = That answer comes from somewhere else
page-issuer-text = It does not come from the provider that this sign-in is for, so it was not used. Nothing is lost: go back to Discord and open the sign-in’s link there once more.
page-incomplete = That address is incomplete
page-incomplete-text = A part of it is missing, so there is nothing to go on with. Nothing is lost: go back to Discord and open the sign-in’s link there once more.
page-odd = That answer contradicts itself
page-odd-text = No provider answers like that, so it was not used. Nothing is lost: go back to Discord and open the sign-in’s link there once more.
page-over = That sign-in is over
page-over-text = It was completed, cancelled, or took too long. Discord shows how it ended, and there you can start a new one.
page-ticket = This page is too old
page-ticket-text = It was used already, or Latchkey was restarted since. Nothing is lost: go back in your browser’s history to the page that asked whether this is your sign-in and load it anew, or open the link in Discord once more.
page-restarting = Latchkey is restarting
page-restarting-text = Nothing is lost. In a minute, go back in your browser’s history to the page that asked whether this is your sign-in and load it anew.
page-not-found = There is nothing here
page-not-found-text = Sign-ins start in Discord.
page-bad-request = That request cannot be read
page-bad-request-text = It is none that a page here makes. Nothing is lost: go back to Discord and open the sign-in’s link there once more.
page-fault = Something went wrong here
page-fault-text = It was written to the log for the operator. Nothing is lost: load this page anew in a moment.
page-back = Go back to Discord
page-kept = { $name } keeps its present account
page-kept-text = An admin of the Discord server decided so. What you signed in with was not stored.
page-unconfirmed = The sign-in to { $name } was not decided in time
page-unconfirmed-text = No admin of the Discord server agreed to the other account. Nothing was changed.
