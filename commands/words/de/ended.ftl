# Eine Anmeldung, die vorbei ist: auf ihrer eigenen Nachricht und im Thread.

ended-by-another = ✅ **{ $name } ist angemeldet.**
    Abgeschlossen hat sie { $who }. Du brauchst nichts mehr zu tun; { $status } zeigt, ob es geht.
ended-signed-in = ✅ **Angemeldet bei { $name }.**
    { $next } { $status } zeigt, ob es geht.
ended-signed-in-as = ✅ **Angemeldet bei { $name } als { $account }.**
    { $next } { $status } zeigt, ob es geht.
ended-used-here = Alle Agenten in { $thread } nutzen das ab jetzt.
ended-not-used-here = { $thread } bleibt bei der Anmeldung eines anderen Mitglieds; ein Admin dieses Servers kann das ändern.
ended-ready = Alles ist bereit.

ended-cancelled = **Die Anmeldung bei { $name } wurde abgebrochen.**
    Es wurde nichts gespeichert. Du kannst dich jederzeit neu anmelden.
ended-cancelled-by = **Die Anmeldung bei { $name } wurde abgebrochen.**
    Das war { $who }. Es wurde nichts gespeichert. Frag nach dem Grund, bevor du dich neu anmeldest.
ended-logged-out = **Die Anmeldung bei { $name } wurde beendet, weil { $name } inzwischen abgemeldet wurde.**
    Es wurde nichts gespeichert. Melde dich neu an, wenn du das noch willst.
ended-not-served = **Die Anmeldung bei { $name } wurde beendet.**
    Es wurde nichts gespeichert. Du darfst dich auf diesem Server nicht mehr anmelden; frag einen Admin.
ended-expired = **Die Anmeldung bei { $name } hat zu lange gedauert und ist abgelaufen.**
    Es wurde nichts gespeichert. Melde dich neu an, wenn du ein paar Minuten hast.
ended-denied = **Die Anmeldung bei { $name } wurde auf der Seite des Anbieters abgelehnt.**
    Es wurde nichts gespeichert. War das nicht gewollt, melde dich neu an und stimme dort zu.

ended-failed = ❌ **Die Anmeldung bei { $name } ist fehlgeschlagen.**
    { $why }
ended-not-started = Latchkey wurde neu gestartet, als sie gerade begann. Es wurde nichts gespeichert. Melde dich neu an.
ended-not-stored = Du hast alles richtig gemacht, aber es ließ sich hier nicht speichern. Sag dem Betreiber Bescheid und melde dich dann neu an.
ended-interrupted = Latchkey wurde neu gestartet, als deine Antwort gerade geprüft wurde; sie lässt sich nicht mehr verwenden. Es wurde nichts gespeichert. Melde dich neu an.
ended-other-account = Du hast dich mit einem anderen Konto angemeldet als dem, das hier genutzt wird. Es wurde nichts geändert. Melde dich mit jenem Konto an, oder lass es erst abmelden.
ended-other-owner = Was hier genutzt wird, gehört einem anderen Mitglied. Es wurde nichts geändert. Erst muss dieses Mitglied oder ein Admin dieses Servers es abmelden.
ended-held-by-other = Genau diese Anmeldung hat hier schon ein anderes Mitglied, und sie kann nicht an zwei Stellen sein. Es wurde nichts geändert. Melde dich mit einem anderen Konto an.
ended-held-elsewhere = Genau diese Anmeldung gibt es hier schon, als { $holder }, und sie kann nicht an zwei Stellen sein. Es wurde nichts geändert. Nutze diese, oder melde sie erst ab.
ended-unavailable = Der Anbieter gab keine brauchbare Antwort. Es wurde nichts gespeichert. Melde dich in ein paar Minuten neu an.
ended-code-refused = Der Anbieter nahm deine Antwort nicht mehr an: Sie kam zu spät, war schon benutzt oder gehört zu einer anderen Anmeldung. Es wurde nichts gespeichert. Melde dich neu an.
ended-misconfigured = Sie ist nicht richtig eingerichtet, und das kann nur der Betreiber ändern; im Protokoll steht, was falsch ist. Es wurde nichts gespeichert.
ended-misconfigured-says = Sie ist nicht richtig eingerichtet, und das kann nur der Betreiber ändern. Der Anbieter sagt: „{ $said }“. Es wurde nichts gespeichert.
ended-no-access = Dein Konto hat beim Anbieter keinen Zugang dazu. Es wurde nichts gespeichert. Besorg ihm dort Zugang, oder melde dich mit einem anderen Konto an.
ended-no-access-says = Dein Konto hat beim Anbieter keinen Zugang dazu. Er sagt: „{ $said }“. Es wurde nichts gespeichert. Besorg ihm dort Zugang, oder melde dich mit einem anderen Konto an.
ended-unknown-account = Der Anbieter sagte nicht eindeutig, mit welchem Konto du dich angemeldet hast. Deshalb wurde die Anmeldung nicht verwendet und hier nichts geändert. Melde dich in ein paar Minuten neu an; geht es wieder nicht, sag einem Admin dieses Servers Bescheid.
ended-not-offered = Dieser Anbieter wird hier nicht mehr angeboten. Es wurde nichts gespeichert. Frag einen Admin dieses Servers.
ended-provider-says = Der Anbieter sagt: „{ $said }“. Es wurde nichts gespeichert. Melde dich neu an; geht es wieder nicht, sag einem Admin dieses Servers Bescheid.
ended-unknown = Es wurde nichts gespeichert. Melde dich neu an; geht es wieder nicht, sag einem Admin dieses Servers Bescheid.

thread-succeeded = { $who }, deine Anmeldung bei { $title } ist fertig. { $status } zeigt, ob es geht.
thread-cancelled = { $who }, deine Anmeldung bei { $title } wurde abgebrochen. Mit { $login } kannst du dich jederzeit neu anmelden.
thread-expired = { $who }, deine Anmeldung bei { $title } ist abgelaufen. Mit { $login } kannst du dich jederzeit neu anmelden.
thread-denied = { $who }, deine Anmeldung bei { $title } wurde abgelehnt. Mit { $login } kannst du dich jederzeit neu anmelden.
thread-failed = { $who }, deine Anmeldung bei { $title } ist fehlgeschlagen. Mit { $login } kannst du dich jederzeit neu anmelden.
