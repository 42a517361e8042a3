# Jemand hat sich bei etwas Gemeinsamem mit einem anderen Konto angemeldet als dem, das benutzt wird.

confirm-use-new = Das neue Konto nehmen
confirm-keep = Das bisherige behalten
confirm-cancel = Abbrechen
# Wenn der Anbieter nicht sagt, wessen Konto es ist.
confirm-nameless = ein Konto ohne Namen
# Wenn nichts mehr angemeldet ist.
confirm-none = nichts
confirm-account-of = { $account } (angemeldet hat sich { $user })

# Die Karte der Person, die sich angemeldet hat.
confirm-waits = ⏳ **Deine Anmeldung bei { $name } wartet auf einen Admin.**
    Du hast dich mit einem anderen Konto angemeldet als dem, das hier benutzt wird. Deshalb muss ein Admin dieses Servers zustimmen. Bis dahin ändert sich nichts.
    Du musst nichts weiter tun. Entscheidet niemand, endet das { $when }, und es wird nichts gespeichert.
confirm-waits-with = ⏳ **Deine Anmeldung bei { $name } wartet auf einen Admin.**
    Hier benutzt: { $now }
    Du hast dich angemeldet als: { $then }
    Ein Admin dieses Servers muss zustimmen, bevor dein Konto an seine Stelle tritt. Bis dahin ändert sich nichts.
    Du musst nichts weiter tun. Entscheidet niemand, endet das { $when }, und es wird nichts gespeichert.
confirm-own = ⚠️ **Du hast dich bei { $name } mit einem anderen Konto angemeldet.**
    Hier benutzt: { $now }
    Du hast dich angemeldet als: { $then }
    War das nicht gewollt, behalte das bisherige. Sonst arbeitet jeder Agent dieses Servers, der { $name } nutzt, von da an mit dem neuen Konto.
    Bevor du entscheidest, ändert sich nichts. Ohne Entscheidung endet das { $when }, und es wird nichts gespeichert.

# Im Thread, für alle lesbar: kein Konto wird genannt.
confirm-question = **Soll { $name } ein anderes Konto verwenden?**
    { $user } hat sich mit einem anderen Konto angemeldet als dem, das dieser Server verwendet. Es ändert sich nichts, bevor ein Admin dieses Servers entscheidet. Die Frage endet { $when }.

# Nur für einen Admin, bevor es gilt.
confirm-step = **Welches Konto soll { $name } verwenden?**
    Jetzt: { $now }
    Neu: { $then }, angemeldet von { $user }
    Wenn du zustimmst, arbeitet jeder Agent dieses Servers, der { $name } nutzt, mit dem neuen Konto, und das bisherige wird abgemeldet. Die Frage endet { $when }.
confirm-changed = ⚠️ **Was hier benutzt wird, hat sich inzwischen geändert.** Es wurde nichts entschieden; bitte sieh noch einmal hin.
confirm-only-admins = **Das kann nur ein Admin dieses Servers entscheiden.**
    Es hat sich nichts geändert. { $status } zeigt, wie es steht.

# Was aus der Frage wurde, für alle lesbar.
confirm-decided-new = ✅ **{ $name } verwendet jetzt das Konto von { $user }.**
    { $by } hat zugestimmt.
confirm-decided-kept = **{ $name } behält das bisherige Konto.**
    Das hat { $by } entschieden. Die Anmeldung von { $user } wurde nicht gespeichert.
confirm-decided-completed = **Es gibt nichts mehr zu entscheiden: { $by } hat sich inzwischen bei { $name } angemeldet.**
    Die Anmeldung von { $user } wurde nicht gespeichert.
confirm-decided-cancelled = **Es gibt nichts mehr zu entscheiden: { $by } hat die Anmeldung von { $user } bei { $name } abgebrochen.**
    Es hat sich nichts geändert.
confirm-decided-withdrawn = **Es gibt nichts mehr zu entscheiden: { $user } hat die Anmeldung bei { $name } zurückgenommen.**
    Es hat sich nichts geändert.
confirm-decided-removed = **Es gibt nichts mehr zu entscheiden: { $name } wurde inzwischen abgemeldet.**
    Es wurde nichts gespeichert. Wer es nutzen will, meldet sich neu an.
confirm-decided-expired = **{ $name } behält das bisherige Konto: Niemand hat rechtzeitig entschieden.**
    Die Anmeldung von { $user } wurde nicht gespeichert.
confirm-decided-otherwise = **Zu { $name } gibt es nichts mehr zu entscheiden.**
    Diese Anmeldung ist vorbei.

# Das Ende, auf der Karte der Person, die sich angemeldet hat.
confirm-ended-new = ✅ **{ $name } verwendet jetzt dein Konto: { $account }.**
    { $by } hat zugestimmt. { $status } zeigt, wie es steht.
confirm-ended-kept = **{ $name } behält das bisherige Konto.**
    Das hat { $by } entschieden. Deine Anmeldung wurde nicht gespeichert. Du kannst dich mit dem Konto anmelden, das hier benutzt wird, oder einen Admin dieses Servers fragen.
confirm-ended-expired = **Kein Admin hat rechtzeitig über deine Anmeldung bei { $name } entschieden.**
    Es hat sich nichts geändert. Frag einen Admin dieses Servers und melde dich dann neu an.

# Dasselbe im Thread, wenn die Karte nicht mehr geändert werden kann.
confirm-told-new = { $user }, ein Admin hat zugestimmt: { $name } verwendet jetzt dein Konto. { $status } zeigt, wie es steht.
confirm-told-kept = { $user }, ein Admin hat entschieden, dass { $name } das bisherige Konto behält. Es hat sich nichts geändert.
confirm-told-expired = { $user }, kein Admin hat rechtzeitig über deine Anmeldung bei { $name } entschieden. Es hat sich nichts geändert. Mit { $login } beginnst du neu, wann du willst.

# In einer Übersicht.
confirm-status-decide = Über { $name } entscheiden

# Das Ende bei einem Admin, der selbst entscheidet.
confirm-ended-kept-admin = **{ $name } behält das bisherige Konto.**
    Das hat { $by } entschieden. Deine Anmeldung wurde nicht gespeichert.
confirm-ended-expired-admin = **Über deine Anmeldung bei { $name } wurde nicht rechtzeitig entschieden.**
    Es hat sich nichts geändert. Willst du das neue Konto verwenden, melde dich noch einmal an und entscheide.
