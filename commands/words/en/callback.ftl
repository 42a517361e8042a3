# The card of a sign-in that ends on a page of ours.

callback-open = 1. Open the sign-in page with the button here, and sign in there.
callback-open-below = 1. Open the link below and sign in.
callback-confirm = 2. The last page asks whether this is your sign-in. Check the name on it and press **Yes**.
callback-paste-hint = That page does not load? Press **Paste the answer** and paste its address.
callback-paste = Paste the answer
callback-warning = ⚠️ Use only a link that you asked for yourself, here. Never pass yours on, and never use one that somebody sent you.
