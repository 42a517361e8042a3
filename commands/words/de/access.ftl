# Für alle, die nicht dürfen, und für den Fall, dass etwas schiefging.

not-allowed = **Das kannst du hier nicht benutzen.**
    { $missing }
not-allowed-nobody = Hier ist noch niemand zugelassen. Bitte einen Admin dieses Servers, die Rollen oder Personen zu nennen, die sich anmelden dürfen.
not-allowed-unlisted = Du stehst nicht auf der Liste der Zugelassenen. Bitte einen Admin dieses Servers, dich einzutragen.
not-allowed-role = Du brauchst die Rolle { $role }. Bitte einen Admin dieses Servers darum.
not-allowed-roles = Du brauchst eine dieser Rollen: { $roles }. Bitte einen Admin dieses Servers darum.
over-or-unknown = **Diese Anmeldung ist vorbei.**
    Ihre Nachricht funktioniert nicht mehr. Beginne eine neue mit dem Knopf hier oder mit { $login }.
over-or-unknown-start = Neu anmelden
foreign-press = **Diese Anmeldung gehört jemand anderem.**
    Nur wer sie begonnen hat, kann sie abschließen oder abbrechen. Um dich selbst anzumelden, nimm { $login }.
too-fast = **Das war viel auf einmal.**
    Es wurde nichts getan. { $when } geht es weiter.
went-wrong = **Hier ist etwas schiefgegangen.**
    Der Betreiber findet es im Protokoll. Versuch es gleich noch einmal; { $status } zeigt, wie es steht.
closing = **Latchkey startet neu.**
    Nichts geht verloren. Versuch es in einer Minute noch einmal.
