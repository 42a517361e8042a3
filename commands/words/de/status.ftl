# /auth status, und wie eine Anmeldung heißt und wie es um sie steht, wo immer das gesagt wird.

# Eine Anmeldung: ihr Name, und wem sie gehört.
described = { $name } ({ $whose })
whose-own = deine eigene
whose-shared = von diesem Server geteilt
whose-of = von { $who }

health-fresh = funktioniert.
health-fresh-retry = funktioniert. Die letzte Erneuerung schlug fehl und wird { $when } von selbst wiederholt.
health-stale = funktioniert. Das Token ist abgelaufen; wer als Nächstes fragt, bekommt ein neues.
health-environment = funktioniert, mit einem Schlüssel, den der Betreiber gesetzt hat.
health-key = funktioniert, mit einem API-Schlüssel, den der Betreiber gesetzt hat. Er geht jeder Anmeldung vor.
health-token = funktioniert, mit einem Token, das der Betreiber gesetzt hat. Es geht jeder Anmeldung vor.
health-backing-off = gibt gerade kein Token: Die letzte Erneuerung schlug fehl. Die Anmeldung bleibt und wird von selbst wieder versucht.
health-backing-off-until = gibt gerade kein Token: Die letzte Erneuerung schlug fehl. Die Anmeldung bleibt und wird { $when } von selbst wieder versucht.
health-operator = gibt kein Token: Der Anbieter weist Latchkey selbst ab, nicht dich. Das muss der Betreiber beheben; die Anmeldung bleibt.
health-uncertain = ist vielleicht zu Ende: Der Anbieter gab keine klare Antwort. Latchkey versucht es weiter. Dauert es zu lange, melde dich neu an.
health-uncertain-until = ist vielleicht zu Ende: Der Anbieter gab keine klare Antwort. Latchkey versucht es { $when } wieder. Dauert es zu lange, melde dich neu an.
health-ended-own = ist zu Ende. Melde dich neu an.
health-ended-shared = ist zu Ende. Jemand muss sich neu anmelden.
health-ended-other = ist zu Ende. Wem sie gehört, muss sich neu anmelden.
health-misconfigured = gibt kein Token: Sie entstand unter anderen Einstellungen als den jetzigen. Der Betreiber muss sie wiederherstellen, oder jemand muss sich neu anmelden.
health-not-configured = gibt kein Token: Der Anbieter wird hier nicht mehr angeboten. Sag es dem Betreiber.

fact-account = Konto { $account }
fact-signed-in-by = Anmeldung durch: { $who }
fact-token-ends = Token endet { $when }
fact-token-ended = Token endete { $when }
fact-refreshed = zuletzt erneuert { $when }
fact-next-refresh = nächste Erneuerung { $when }
fact-rests = nächste Erneuerung, wenn ein Agent fragt
fact-error = Der Anbieter sagte: { $error }

status-nothing = **Für diesen Thread ist nichts angemeldet.**
    Drücke unten **Anmelden**, oder nimm { $login }.
status-unreadable = 🔴 **Was dieser Thread benutzen soll, ist nicht lesbar.** Agenten bekommen hier nichts, bis der Betreiber es behoben hat.
status-by-thread = für diesen Thread gewählt
status-by-channel = für den Kanal dieses Threads gewählt
status-behind = Dahinter wartet eine Anmeldung: { $facts }
status-damaged-here = die gespeicherte Anmeldung ist nicht lesbar. Sag es dem Betreiber.
status-could-use = für diesen Thread gibt es nichts. Es gibt eine Anmeldung, die er benutzen könnte: Drücke **Andere benutzen**.
status-empty = nicht angemeldet. Drücke **Anmelden**.
status-empty-other = nicht angemeldet. Wem sie gehört, muss sich anmelden.
status-silent = -# Nicht angemeldet: { $titles }. Nimm { $login }.
status-more = { $count ->
    [one] Eine weitere passt nicht hierher.
   *[other] { $count } weitere passen nicht hierher.
}
status-more-buttons = { $count ->
    [one] Die Knöpfe einer weiteren passen nicht hierher.
   *[other] Die Knöpfe von { $count } weiteren passen nicht hierher.
} Nimm { $login }, { $using } und { $logout }.
status-signed-in-already = **Schon angemeldet.**

status-login-to = bei { $name }
status-login-own = mit einem eigenen Konto
status-login-open-you = Du meldest dich gerade { $name } an; das endet { $when }.
status-login-open = { $who } meldet sich gerade { $name } an; das endet { $when }.
status-login-checked-you = Du meldest dich gerade { $name } an: Die Antwort wird geprüft.
status-login-checked = { $who } meldet sich gerade { $name } an: Die Antwort wird geprüft.
status-login-confirming-you = Du hast dich { $name } mit einem anderen Konto angemeldet: Ein Admin dieses Servers muss zustimmen. Das endet { $when }.
status-login-confirming = { $who } hat sich { $name } mit einem anderen Konto angemeldet: Ein Admin dieses Servers muss zustimmen. Das endet { $when }.

status-owed = { $name } wurde hier abgemeldet, und der Anbieter weiß es noch nicht. Nächster Versuch { $when }; aufgegeben wird { $end }.
status-owed-more = { $count ->
    [one] 🟠 Von einer weiteren Abmeldung muss der Anbieter noch erfahren.
   *[other] 🟠 Von { $count } weiteren Abmeldungen müssen Anbieter noch erfahren.
}
status-damaged = Ein gespeicherter Eintrag ist nicht lesbar: { $entry }. Sag es dem Betreiber.
status-damaged-more = { $count ->
    [one] 🔴 Ein weiterer gespeicherter Eintrag ist nicht lesbar.
   *[other] 🔴 { $count } weitere gespeicherte Einträge sind nicht lesbar.
}

status-sign-in = Anmelden
status-sign-in-again = Neu anmelden
status-refresh = Jetzt erneuern
status-use-another = Andere benutzen
status-log-out = Abmelden
status-look-again = Neu nachsehen
status-show = Status zeigen
# Ein Knopf, wo eine Nachricht Knöpfe für mehrere Anbieter hat.
status-button-of = { $verb }: { $title }

refresh-done = **{ $name } wurde erneuert.** Agenten bekommen ab jetzt das neue Token.
refresh-lately = **Sie wurde vor weniger als einer Minute erneuert.** Warte kurz bis zum nächsten Mal.
refresh-later = **Es kam kein neues Token.** Die Anmeldung bleibt; Latchkey versucht es { $when } von selbst wieder.
refresh-held = **Sie wird jetzt nicht erneuert.** Wie die letzte Erneuerung ausging, ist nicht bekannt, und noch eine könnte die Anmeldung beenden. { $when } wird es von selbst versucht.
refresh-goes-on = **Es dauert länger als sonst.** Die Erneuerung läuft von selbst weiter; sieh in einer Minute wieder nach.
refresh-again = **Gerade kam kein neues Token.** Versuch es in einer Minute noch einmal.
refresh-gone = **Diese Anmeldung gibt es nicht mehr.** Melde dich erst an.
refresh-needs-login = **Der Anbieter sagt, dass diese Anmeldung zu Ende ist.** Melde dich neu an.
refresh-as-it-is = **Sie lässt sich nicht erneuern.** Sie wird benutzt, wie sie ist.
refresh-not-yours = **Diese kannst du nicht erneuern.** Das kann nur, wer sich angemeldet hat, oder ein Admin dieses Servers.
refresh-operator = **Es kam kein neues Token.** Der Betreiber muss nachsehen; die Anmeldung bleibt.
refresh-fault = **Sie konnte wegen eines Fehlers hier nicht erneuert werden.** Er steht im Protokoll für den Betreiber.
