# /auth cancel und der Knopf zum Abbrechen.

cancel-done = **Die Anmeldung bei { $name } wurde abgebrochen.**
    Es wurde nichts gespeichert.
cancel-was-complete = **Diese Anmeldung war schon abgeschlossen.**
    Sie gilt weiter. Um sie zu beenden, nimm { $logout }.
cancel-was-over = **Diese Anmeldung war schon vorbei.**
    Es hat sich nichts geändert.
cancel-unknown = **Abgebrochen.**
    Eine solche Anmeldung läuft nicht mehr.
cancel-nothing = **Du hast keine laufende Anmeldung.**
    { $login } beginnt eine.
cancel-which = **Welche Anmeldung willst du abbrechen?**
cancel-choose = Wähle eine Anmeldung
# Ein Eintrag im Menü: der Anbieter, und was ihn von den anderen unterscheidet.
cancel-entry-other = { $entry }, Mitglied { $user }
