# /auth status, und wie eine Anmeldung heißt und wie es um sie steht, wo immer das gesagt wird.

# Eine Anmeldung: ihr Name, und wem sie gehört.
described = { $name } ({ $whose })
whose-own = deine eigene
whose-shared = von diesem Server geteilt
whose-of = von { $who }

health-fresh = funktioniert.
health-fresh-retry = funktioniert. Die letzte Erneuerung schlug fehl und wird { $when } von selbst wiederholt.
health-stale = funktioniert. Der Zugang wird erneuert, sobald ein Agent fragt.
health-environment = funktioniert, mit einem Schlüssel, den der Betreiber gesetzt hat.
health-key = funktioniert, mit einem API-Schlüssel, den der Betreiber gesetzt hat. Er geht jeder Anmeldung vor.
health-token = funktioniert, mit einem Token, das der Betreiber gesetzt hat. Es geht jeder Anmeldung vor.
health-environment-bad = geht nicht: Der Schlüssel oder das Token, das der Betreiber gesetzt hat, ist unbrauchbar. Nur der Betreiber kann das beheben.
health-backing-off = geht gerade nicht: Die letzte Erneuerung schlug fehl. Du musst nichts tun; Latchkey versucht es weiter.
health-backing-off-until = geht gerade nicht: Die letzte Erneuerung schlug fehl. Du musst nichts tun; Latchkey versucht es { $when } wieder.
health-no-access = geht nicht: Der Anbieter gibt diesem Konto keinen Zugang dazu, obwohl seine Anmeldung gilt. Besorg ihm dort Zugang, dann geht es von selbst wieder; mit demselben Konto neu anmelden hilft nicht, mit einem anderen vielleicht.
health-operator = geht nicht: Der Anbieter weist Latchkey selbst ab, nicht dich. Das kann nur der Betreiber beheben; neu anmelden hilft nicht.
health-uncertain = ist vielleicht zu Ende: Der Anbieter gab keine klare Antwort. Latchkey versucht es weiter. Dauert es zu lange, melde dich neu an.
health-uncertain-until = ist vielleicht zu Ende: Der Anbieter gab keine klare Antwort. Latchkey versucht es { $when } wieder. Dauert es zu lange, melde dich neu an.
health-ended-own = ist zu Ende. Melde dich neu an.
health-ended-shared = ist zu Ende. Jemand muss sich neu anmelden.
health-ended-other = ist zu Ende. Die Person, der sie gehört, muss sich neu anmelden.
health-misconfigured = geht nicht: Sie entstand unter anderen Einstellungen als den heutigen. Der Betreiber muss die alten wiederherstellen, oder jemand muss sich neu anmelden.
health-not-configured = geht nicht: Der Anbieter wird hier nicht mehr angeboten. Sag es dem Betreiber.

fact-account = Konto { $account }
fact-signed-in-by = angemeldet hat sich { $who }
fact-token-ends = Zugang endet { $when }
fact-token-ended = Zugang endete { $when }
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
status-could-use = dieser Thread benutzt noch nichts. Es gibt eine Anmeldung, die er benutzen könnte: Drücke **Andere Anmeldung**.
status-empty = nicht angemeldet. Drücke **Anmelden**.
status-empty-other = nicht angemeldet. Die Person, der dies gehört, muss sich anmelden.
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
status-login-open-you = Du meldest dich gerade { $name } an; das läuft { $when } ab.
status-login-open = { $who } meldet sich gerade { $name } an; das läuft { $when } ab.
status-login-checked-you = Du meldest dich gerade { $name } an: Die Antwort wird geprüft.
status-login-checked = { $who } meldet sich gerade { $name } an: Die Antwort wird geprüft.
status-login-confirming-you = Du hast dich { $name } mit einem anderen Konto angemeldet: Ein Admin dieses Servers muss zustimmen. Ohne Antwort endet das { $when }.
status-login-confirming = { $who } hat sich { $name } mit einem anderen Konto angemeldet: Ein Admin dieses Servers muss zustimmen. Ohne Antwort endet das { $when }.

status-owed = { $name }: Der Anbieter weiß noch nicht, dass eine frühere Anmeldung vorbei ist. Nächster Versuch { $when }; aufgegeben wird { $end }.
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
status-use-another = Andere Anmeldung
status-log-out = Abmelden
status-look-again = Neu nachsehen
status-show = Status zeigen
# Ein Knopf, wo eine Nachricht Knöpfe für mehrere Anbieter hat.
status-button-of = { $verb }: { $title }

refresh-done = **{ $name } wurde erneuert.** Agenten nutzen ab jetzt den neuen Zugang.
refresh-lately = **Sie wurde vor weniger als einer Minute erneuert.** Warte kurz bis zum nächsten Mal.
refresh-later = **Sie ließ sich gerade nicht erneuern.** Die Anmeldung bleibt; Latchkey versucht es { $when } von selbst wieder.
refresh-held = **Sie wird jetzt nicht erneuert.** Wie die letzte Erneuerung ausging, ist nicht bekannt, und noch eine könnte die Anmeldung beenden. { $when } wird es von selbst versucht.
refresh-goes-on = **Es dauert länger als sonst.** Die Erneuerung läuft von selbst weiter; sieh in einer Minute wieder nach.
refresh-again = **Sie ließ sich gerade nicht erneuern.** Versuch es in einer Minute noch einmal.
refresh-gone = **Diese Anmeldung gibt es nicht mehr.** Melde dich erst an.
refresh-needs-login = **Der Anbieter sagt, dass diese Anmeldung zu Ende ist.** Melde dich neu an.
refresh-as-it-is = **Sie lässt sich nicht erneuern.** Sie wird benutzt, wie sie ist.
refresh-not-yours = **Diese kannst du nicht erneuern.** Das kann nur, wer sich angemeldet hat, oder ein Admin dieses Servers.
refresh-no-access = **Sie ließ sich nicht erneuern.** Der Anbieter gibt diesem Konto keinen Zugang dazu; die Anmeldung bleibt.
refresh-operator = **Sie ließ sich nicht erneuern.** Der Betreiber muss nachsehen; die Anmeldung bleibt.
refresh-fault = **Sie konnte wegen eines Fehlers hier nicht erneuert werden.** Er steht im Protokoll für den Betreiber.
