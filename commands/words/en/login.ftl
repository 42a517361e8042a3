# A sign-in under way: its card, its buttons, its form, and what is said after a paste.

login-open = Open sign-in page
login-paste = Paste the answer
login-cancel = Cancel
login-other-way = Try another way
login-again = Sign in again

login-starting = ⏳ Asking { $name } for a sign-in…
login-checking = ⏳ **Checking your sign-in to { $name }…**

login-title = **Sign in to { $name }**
login-for-server = It is for this whole server: every agent in { $thread } will use it, whoever asks them.
login-for-you = It is your own: every agent in { $thread } will work with **your** account, whoever asks them.
login-for-server-only = It is for this whole server. What this thread uses stays as it is.
login-for-you-only = It is your own. What this thread uses stays as it is.

login-step-button = 1. Press **{ login-open }** and sign in.
login-step-link = 1. Open the link below and sign in.
login-step-enter = 2. Enter this code there: `{ $code }`
login-step-check = 2. Check that the page shows this code, or enter it there: `{ $code }`
login-step-dead-page = 2. At the end the browser shows an **error page that does not load**. That is as it should be: copy its whole address from the address bar.
login-step-address = 2. At the end, copy the whole address of the last page from the address bar.
login-step-code = 2. At the end the page shows a code. Copy all of it.
login-step-paste = 3. Press **{ login-paste }** and paste it there.
login-step-confirm = 2. At the end, one last page asks whether this sign-in is yours. Check that your name is on it, then press **Yes**.
login-step-no-page = If that page does not open, copy its whole address, press **{ login-paste }** and paste it there.

login-until = This message changes by itself when you are done. The sign-in expires { $when }.
login-beware-code = ⚠️ Enter only the code shown here, which you asked for yourself. Never one that somebody sent you.
login-beware-answer = ⚠️ Paste the answer only here and give it to nobody. Never use a sign-in link that somebody sent you.
login-beware-link = ⚠️ Never use a sign-in link that somebody sent you, and pass this one on to nobody.

login-too-long = **The sign-in page of { $name } has an address that Discord cannot show.**
    It is too long for a message. Ask the operator to set `public_url`, or to ask for fewer `scopes` there.
login-moved = The sign-in to { $name } goes on in another message in this thread. Use that one.

login-form = Sign in to { $title }
login-form-address = Address of the last page
login-form-code = Code from the last page

# After a paste that was not used; each goes on after this one.
paste-failed = ⚠️ **That did not work.** { $why }
paste-empty = Nothing was pasted. Copy what the page shows at the end of the sign-in, and paste that.
paste-too-long = That is too long to be the answer. Copy only the address of the page that the sign-in ended on.
paste-part = That is only a part of the answer. Copy all that the page shows, or the whole address from the address bar.
paste-wrong-address = That is not the address that this sign-in ends on, which begins with `{ $address }`. Finish the sign-in, then copy the address of its last page, even if that page does not load.
paste-incomplete = That is not the whole address. Copy all of it from the address bar.
paste-other-sign-in = That answer belongs to another sign-in, perhaps to an earlier try. Use the link shown here, and paste its answer.
paste-odd = That answer contradicts itself, which no real one does. Sign in once more by the link shown here.
paste-other-provider = That answer comes from another provider. Sign in once more by the link shown here.

paste-not-here = ⚠️ **There is nothing to paste here.** Open the page and enter the code there.
paste-in-use = ⏳ Your answer is being checked already. Wait a moment.
paste-not-sent = ⚠️ **The provider could not be reached just now.** Nothing is lost: paste the same answer again in a moment.
paste-closing = ⚠️ **Latchkey is restarting.** Nothing is lost: paste the same answer again in a minute.
paste-no-provider = ⚠️ **This provider is no longer offered here.** Ask an admin of this server.
paste-fault = ⚠️ **Your answer could not be used, because of a fault here.** The operator finds it in the log. Paste the same answer again in a moment.
login-behind-key = ℹ️ For now no agent will use it: the operator set an API key, and that comes before every sign-in.
login-behind-token = ℹ️ For now no agent will use it: the operator set a token, and that comes before every sign-in.
login-behind-bad = ℹ️ For now agents get nothing here, with or without a sign-in: the key or token that the operator set cannot be used. Tell an admin of this server.
