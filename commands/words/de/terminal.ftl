# Die Seite, auf der ein Browser endet, wenn die Anmeldung in einem Terminal dieses Rechners begonnen wurde. Diese Texte sind HTML.

landing-done = Bei { $name } angemeldet
landing-done-text = Du kannst diese Seite schließen. Im Terminal geht es von selbst weiter.
landing-waits = Mit einem anderen Konto angemeldet
landing-waits-text = Das Terminal fragt, ob dieses Konto an die Stelle des bisherigen tritt. Du kannst diese Seite schließen.
landing-denied = Die Anmeldung bei { $name } wurde abgelehnt
landing-denied-text = Der Anbieter sagt, dass du nicht zugestimmt hast. Nichts wurde gespeichert. Um es noch einmal zu versuchen, beginne die Anmeldung im Terminal neu.
landing-failed = Die Anmeldung bei { $name } ist gescheitert
landing-failed-text = Nichts wurde gespeichert. Das Terminal sagt, warum, und wie es weitergeht.
landing-odd = Das ist nicht die Antwort auf diese Anmeldung
landing-odd-text = Sie wurde nicht verwendet, und nichts ist verloren: Das Terminal wartet weiter. Öffne den Link dort noch einmal.
landing-foreign = Dieser Browser gehört womöglich einem anderen Benutzer dieses Rechners
landing-foreign-text = Darum wurde seine Antwort nicht verwendet, und nichts ist verloren: Das Terminal wartet weiter. Wenn du die Anmeldung selbst begonnen hast, kopiere die Adresse dieser Seite und füge sie im Terminal ein.
landing-in-use = Die Antwort wird gerade geprüft
landing-in-use-text = Das Terminal zeigt, wie es ausgeht. Du kannst diese Seite schließen.
landing-not-sent = Der Anbieter war nicht zu erreichen
landing-not-sent-text = Nichts ist verloren: Lade diese Seite gleich noch einmal.
landing-over = Diese Anmeldung ist vorbei
landing-over-text = Ihre Antwort wurde schon verwendet, oder sie wurde abgebrochen, oder sie hat zu lange gedauert. Das Terminal zeigt, wie es steht.
landing-nothing = Hier ist nichts
landing-nothing-text = Hier wartet eine Anmeldung, die in einem Terminal begonnen wurde, auf ihre Antwort.
landing-fault = Hier ist etwas schiefgegangen
landing-fault-text = Das Terminal sagt mehr.
