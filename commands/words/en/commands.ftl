# The slash commands and their options. Names: small letters, digits, hyphens, at most 32; descriptions at most 100.

command-description = Sign in here, and see what is signed in

command-login-name = login
command-login-description = Sign in, and let this thread's agents use it
command-login-provider-name = provider
command-login-provider-description = Where to sign in
command-login-profile-name = profile
command-login-profile-description = A name for this account, if you use several there
command-login-bind-name = bind
command-login-bind-description = Whether this thread's agents use it (usually yes)

command-status-name = status
command-status-description = See what this thread's agents use, and how it is

command-logout-name = logout
command-logout-description = Log out, here and at the provider
command-logout-tenant-name = tenant
command-logout-tenant-description = What to log out; without it, what this thread uses

command-cancel-name = cancel
command-cancel-description = Cancel a sign-in that is under way
command-cancel-tenant-name = tenant
command-cancel-tenant-description = Which one; without it, your own

command-use-name = use
command-use-description = Have this thread's agents use another sign-in
command-use-tenant-name = tenant
command-use-tenant-description = Which sign-in

command-list-name = list
command-list-description = See your sign-ins, and those that this server shares
