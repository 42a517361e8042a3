# /auth list.

list-yours = **Deine Anmeldungen, und die von diesem Server geteilten**
list-all = **Alle Anmeldungen**
list-nothing = **Es gibt noch keine Anmeldungen.**
    Drücke unten **Anmelden**, oder nimm { $login }.
list-threads = benutzt in { $threads }
list-threads-more = benutzt in { $threads } und noch { $count }
list-page = -# Seite { $page } von { $pages }
list-back = Zurück
list-on = Weiter
