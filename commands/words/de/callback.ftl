# Die Karte einer Anmeldung, die auf einer Seite von uns endet.

callback-open = 1. Öffne die Anmeldeseite mit dem Knopf hier und melde dich dort an.
callback-open-below = 1. Öffne den Link unten und melde dich an.
callback-confirm = 2. Die letzte Seite fragt, ob das deine Anmeldung ist. Prüfe den Namen darauf und drücke **Ja**.
callback-paste-hint = Die Seite lädt nicht? Drücke auf **Antwort einfügen** und füge ihre Adresse ein.
callback-paste = Antwort einfügen
callback-warning = ⚠️ Benutze nur einen Link, um den du selbst hier gebeten hast. Gib deinen nie weiter, und benutze nie einen, den dir jemand geschickt hat.
