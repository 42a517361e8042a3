# /auth list.

list-yours = **Your sign-ins, and those that this server shares**
list-all = **All sign-ins**
list-nothing = **There are no sign-ins yet.**
    Press **Sign in** below, or use { $login }.
list-threads = used in { $threads }
list-threads-more = used in { $threads } and { $count } more
list-page = -# Page { $page } of { $pages }
list-back = Back
list-on = Next
