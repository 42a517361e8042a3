# /auth logout.

logout-ask = **{ $name } abmelden?**
    Wer sie benutzen will, muss sich dann neu anmelden.
logout-ask-account = **{ $name }, Konto { $account }, abmelden?**
    Wer sie benutzen will, muss sich dann neu anmelden.
logout-reach-server = Alle Agenten dieses Servers, die sie benutzen, verlieren sie.
logout-reach-server-threads = Alle Agenten dieses Servers, die sie benutzen, verlieren sie, auch die von { $threads }.
logout-reach-threads = Die Agenten von { $threads } verlieren sie.
logout-reach-nobody = Kein Thread benutzt sie gerade.
logout-would-end = Beim Anbieter enden mit ihr: { $others }.
logout-yes = Abmelden
logout-keep = Behalten
logout-kept = **Es hat sich nichts geändert.**
    Die Anmeldung bleibt.
logout-done = **{ $name } ist abgemeldet.** Hier ist sie gelöscht.
logout-ended-there = Auch beim Anbieter wurde sie beendet.
logout-not-offered = Beim Anbieter lässt sie sich von hier aus nicht beenden. Um sie auch dort zu beenden, entferne den Zugriff dort in deinem Konto.
logout-owed = Der Anbieter weiß es noch nicht. Latchkey versucht es einen Tag lang weiter; du musst nichts tun.
logout-refused = Der Anbieter wollte sie nicht beenden ({ $why }). Um sicherzugehen, entferne den Zugriff dort in deinem Konto.
logout-others-ended = Beim Anbieter endeten mit ihr: { $others }. Sie müssen neu angemeldet werden.
logout-others-will-end = Sobald der Anbieter es weiß, enden mit ihr: { $others }. Sie müssen dann neu angemeldet werden.
logout-threads = Bis sich jemand neu anmeldet, bekommen Agenten davon nichts in { $threads }. Dort wählt { $using } eine andere Anmeldung.
logout-next = { $login } beginnt eine neue Anmeldung.
logout-not-signed-in = **{ $name } ist nicht angemeldet.**
    Es gibt nichts abzumelden.
logout-not-yours = **Das ist die Anmeldung eines anderen Mitglieds.**
    Diese Person oder ein Admin dieses Servers kann sie abmelden.
logout-fault = **Wegen eines Fehlers hier wurde nichts abgemeldet.**
    Er steht im Protokoll für den Betreiber. Versuch es gleich noch einmal; { $status } zeigt, wie es steht.
logout-nothing = **Du hast nichts abzumelden.**
    Abmelden kann nur, wer sich angemeldet hat, oder ein Admin dieses Servers. { $status } zeigt, was dieser Thread benutzt.
logout-unknown = **{ $given } ist hier nicht bekannt.**
    Wähle aus der Liste, die beim Tippen erscheint, oder sieh in { $list } nach.
logout-which = **Was willst du abmelden?**
logout-choose = Wähle eine Anmeldung

and-more = { $named } und noch { $count }
