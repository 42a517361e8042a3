# Eine laufende Anmeldung: ihre Karte, ihre Knöpfe, ihr Formular, und was nach dem Einfügen gesagt wird.

login-open = Anmeldeseite öffnen
login-paste = Antwort einfügen
login-cancel = Abbrechen
login-other-way = Anders anmelden
login-again = Neu anmelden

login-starting = ⏳ Eine Anmeldung bei { $name } wird vorbereitet…
login-checking = ⏳ **Deine Anmeldung bei { $name } wird geprüft…**

login-title = **Anmeldung bei { $name }**
login-for-server = Sie gilt für diesen ganzen Server: Alle Agenten in { $thread } werden sie nutzen, egal wer sie beauftragt.
login-for-you = Sie gehört dir: Alle Agenten in { $thread } werden mit **deinem** Konto arbeiten, egal wer sie beauftragt.
login-for-server-only = Sie gilt für diesen ganzen Server. Was dieser Thread nutzt, bleibt, wie es ist.
login-for-you-only = Sie gehört dir. Was dieser Thread nutzt, bleibt, wie es ist.

login-step-button = 1. Drücke **{ login-open }** und melde dich an.
login-step-link = 1. Öffne den Link unten und melde dich an.
login-step-enter = 2. Gib dort diesen Code ein: `{ $code }`
login-step-check = 2. Prüfe, dass die Seite diesen Code zeigt, oder gib ihn dort ein: `{ $code }`
login-step-dead-page = 2. Am Ende zeigt der Browser eine **Fehlerseite, die nicht lädt**. Das ist richtig so: Kopiere ihre ganze Adresse aus der Adresszeile.
login-step-address = 2. Kopiere am Ende die ganze Adresse der letzten Seite aus der Adresszeile.
login-step-code = 2. Am Ende zeigt die Seite einen Code. Kopiere ihn ganz.
login-step-paste = 3. Drücke **{ login-paste }** und füge das Kopierte dort ein.
login-step-confirm = 2. Am Ende fragt eine letzte Seite, ob diese Anmeldung deine ist. Prüfe, dass dein Name darauf steht, und drücke dann **Ja**.
login-step-no-page = Falls diese Seite nicht aufgeht, kopiere ihre ganze Adresse, drücke **{ login-paste }** und füge das Kopierte dort ein.

login-until = Wenn du fertig bist, ändert sich diese Nachricht von selbst. Die Anmeldung läuft { $when } ab.
login-beware-code = ⚠️ Gib nur den Code ein, der hier steht und den du selbst angefordert hast. Nie einen, den dir jemand geschickt hat.
login-beware-answer = ⚠️ Füge die Antwort nur hier ein und gib sie niemandem. Nutze nie einen Anmeldelink, den dir jemand geschickt hat.
login-beware-link = ⚠️ Nutze nie einen Anmeldelink, den dir jemand geschickt hat, und gib diesen hier niemandem.

login-too-long = **Die Anmeldeseite von { $name } hat eine Adresse, die Discord nicht anzeigen kann.**
    Sie ist zu lang für eine Nachricht. Bitte den Betreiber, `public_url` zu setzen oder dort weniger `scopes` zu verlangen.
login-moved = Die Anmeldung bei { $name } geht in einer anderen Nachricht in diesem Thread weiter. Nimm diese.

login-form = Anmeldung bei { $title }
login-form-address = Adresse der letzten Seite
login-form-code = Code von der letzten Seite

# Nach einem Einfügen, das nichts brachte; jeder dieser Texte folgt auf diesen.
paste-failed = ⚠️ **Das hat nicht geklappt.** { $why }
paste-empty = Es wurde nichts eingefügt. Kopiere, was die Seite am Ende der Anmeldung zeigt, und füge das ein.
paste-too-long = Das ist zu lang für die Antwort. Kopiere nur die Adresse der Seite, auf der die Anmeldung geendet hat.
paste-part = Das ist nur ein Teil der Antwort. Kopiere alles, was die Seite zeigt, oder die ganze Adresse aus der Adresszeile.
paste-wrong-address = Das ist nicht die Adresse, auf der diese Anmeldung endet; die beginnt mit `{ $address }`. Schließe die Anmeldung ab und kopiere die Adresse ihrer letzten Seite, auch wenn die nicht lädt.
paste-incomplete = Das ist nicht die ganze Adresse. Kopiere sie vollständig aus der Adresszeile.
paste-other-sign-in = Diese Antwort gehört zu einer anderen Anmeldung, vielleicht zu einem früheren Versuch. Nimm den Link, der hier steht, und füge dessen Antwort ein.
paste-odd = Diese Antwort widerspricht sich, das tut keine echte. Melde dich noch einmal über den Link an, der hier steht.
paste-other-provider = Diese Antwort kommt von einem anderen Anbieter. Melde dich noch einmal über den Link an, der hier steht.

paste-not-here = ⚠️ **Hier gibt es nichts einzufügen.** Öffne die Seite und gib dort den Code ein.
paste-in-use = ⏳ Deine Antwort wird schon geprüft. Warte einen Moment.
paste-not-sent = ⚠️ **Der Anbieter war gerade nicht zu erreichen.** Nichts geht verloren: Füge dieselbe Antwort gleich noch einmal ein.
paste-closing = ⚠️ **Latchkey startet neu.** Nichts geht verloren: Füge dieselbe Antwort in einer Minute noch einmal ein.
paste-no-provider = ⚠️ **Dieser Anbieter wird hier nicht mehr angeboten.** Frag einen Admin dieses Servers.
paste-fault = ⚠️ **Deine Antwort konnte wegen eines Fehlers hier nicht verwendet werden.** Der Betreiber findet ihn im Protokoll. Füge dieselbe Antwort gleich noch einmal ein.
login-behind-key = ℹ️ Vorerst benutzt sie kein Agent: Der Betreiber hat einen API-Schlüssel gesetzt, und der geht jeder Anmeldung vor.
login-behind-token = ℹ️ Vorerst benutzt sie kein Agent: Der Betreiber hat ein Token gesetzt, und das geht jeder Anmeldung vor.
login-behind-bad = ℹ️ Vorerst bekommen die Agenten hier nichts, ob mit Anmeldung oder ohne: Der Schlüssel oder das Token, das der Betreiber gesetzt hat, ist unbrauchbar. Sag einem Admin dieses Servers Bescheid.
