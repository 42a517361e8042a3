# Die Seiten im Browser, auf denen eine Anmeldung endet. Diese Texte sind HTML.

page-confirm = Ist das deine Anmeldung?
page-confirm-text = Du hast dich gerade bei { $name } angemeldet. Bevor das verwendet wird, prüfe, wer darum gebeten hat:
page-fact-who = Begonnen in Discord von
page-fact-where = Discord-Server
page-fact-provider = Anmeldung bei
page-confirm-own = Wenn du fortfährst, arbeiten die Agenten von { $who } mit <strong>dem Konto, das du gerade benutzt hast</strong>.
page-confirm-shared = Wenn du fortfährst, arbeiten alle Agenten auf { $server } mit <strong>dem Konto, das du gerade benutzt hast</strong>, wer auch immer sie fragt.
page-confirm-yes = Ja, das bin ich: anmelden
page-confirm-no = Nein, das bin ich nicht
page-confirm-warning = Hat dir jemand einen Link geschickt, der hierher führte? Dann drücke Nein. Sonst würden dessen Agenten mit deinem Konto arbeiten.
page-who-id = Mitglied { $id }
page-who-id-full = das Mitglied mit der Discord-ID <strong>{ $id }</strong><br><span class="handle">Discord konnte den Namen gerade nicht nennen. Vergleiche die ID mit deiner eigenen, oder komm in einer Minute wieder.</span>
page-notice-not-sent = Der Anbieter war gerade nicht zu erreichen. Nichts geht verloren: Versuch es gleich noch einmal.
page-notice-fault = Hier ist etwas schiefgegangen; es steht im Protokoll für den Betreiber. Nichts geht verloren: Versuch es gleich noch einmal.

page-in-use = Die Anmeldung bei { $name } wird geprüft
page-in-use-text = Eine Antwort darauf wird in diesem Augenblick verwendet. Discord zeigt, wie es ausgeht; du kannst diese Seite schließen.

page-dropped = Es wurde nichts angemeldet
page-dropped-text = Gut, dass du hingesehen hast. Dein Konto wurde hier mit nichts verbunden. Schließe diese Seite, und sag der Person, die dir den Link geschickt hat, dass du dich nicht für sie anmeldest.
page-dropped-mistake = Steht Latchkey bei { $name } nun unter den Programmen, die du erlaubt hast, kannst du es dort entfernen. War es doch deine eigene Anmeldung? Dann öffne ihren Link in Discord noch einmal.

page-done = Angemeldet bei { $name }
page-done-account = Du bist angemeldet als { $account }.
page-done-no-account = Dein Konto kann nun benutzt werden.
page-done-other = { $name } ist angemeldet
page-done-other-text = Jemand anderes war schneller: Für dich ist nichts mehr zu tun.
page-close = Du kannst diese Seite schließen. Auch Discord zeigt die Anmeldung.
page-confirming = Ein Admin muss zustimmen
page-confirming-text = Du hast dich mit einem anderen Konto angemeldet als dem, das hier in Gebrauch ist. Darum muss erst ein Admin des Discord-Servers zustimmen. Discord zeigt, wie es weitergeht; du kannst diese Seite schließen.
page-cancelled = Die Anmeldung bei { $name } wurde abgebrochen
page-removed = Die Anmeldung bei { $name } wurde beendet
page-expired = Die Anmeldung bei { $name } hat zu lange gedauert
page-denied = Die Anmeldung bei { $name } wurde abgelehnt
page-denied-text = Der Anbieter sagt, dass du nicht zugestimmt hast. Es wurde nichts gespeichert.
page-failed = Die Anmeldung bei { $name } ist fehlgeschlagen
page-nothing-stored = Es wurde nichts gespeichert.
page-again = Um es noch einmal zu versuchen, beginne in Discord eine neue Anmeldung.
page-why-not-stored = Du hast alles richtig gemacht, aber es konnte hier nicht gespeichert werden. Sag dem Betreiber Bescheid.
page-why-interrupted = Latchkey wurde neu gestartet, als deine Antwort gerade geprüft wurde. Es wurde nichts gespeichert.
page-why-other-account = Du hast dich mit einem anderen Konto angemeldet als dem, das in Gebrauch ist. Es hat sich nichts geändert. Melde dich mit jenem Konto an, oder lass es zuerst abmelden.
page-why-other-owner = Was dort in Gebrauch ist, gehört einem anderen Mitglied. Es hat sich nichts geändert. Dieses Mitglied oder ein Admin des Discord-Servers muss es zuerst abmelden.
page-why-held-elsewhere = Der Anbieter gab eine Anmeldung aus, die hier schon an anderer Stelle steht. Es hat sich nichts geändert. Benutze jene, oder melde sie zuerst ab.
page-why-provider = Der Anbieter antwortete: { $text }. Es wurde nichts gespeichert.

page-issuer = Diese Antwort kommt von woanders
page-issuer-text = Sie kommt nicht von dem Anbieter, für den diese Anmeldung ist, und wurde darum nicht verwendet. Nichts geht verloren: Geh zurück zu Discord und öffne dort den Link der Anmeldung noch einmal.
page-incomplete = Diese Adresse ist unvollständig
page-incomplete-text = Ein Teil davon fehlt, darum geht es hier nicht weiter. Nichts geht verloren: Geh zurück zu Discord und öffne dort den Link der Anmeldung noch einmal.
page-odd = Diese Antwort widerspricht sich
page-odd-text = So antwortet kein Anbieter, darum wurde sie nicht verwendet. Nichts geht verloren: Geh zurück zu Discord und öffne dort den Link der Anmeldung noch einmal.
page-over = Diese Anmeldung ist vorbei
page-over-text = Sie wurde abgeschlossen, abgebrochen oder hat zu lange gedauert. Discord zeigt, wie sie ausging, und dort kannst du eine neue beginnen.
page-ticket = Diese Seite ist zu alt
page-ticket-text = Sie wurde schon benutzt, oder Latchkey wurde seitdem neu gestartet. Nichts geht verloren: Geh im Verlauf deines Browsers zurück zu der Seite, die fragte, ob das deine Anmeldung ist, und lade sie neu, oder öffne den Link in Discord noch einmal.
page-restarting = Latchkey startet neu
page-restarting-text = Nichts geht verloren. Geh in einer Minute im Verlauf deines Browsers zurück zu der Seite, die fragte, ob das deine Anmeldung ist, und lade sie neu.
page-not-found = Hier ist nichts
page-not-found-text = Anmeldungen beginnen in Discord.
page-bad-request = Diese Anfrage ist nicht zu lesen
page-bad-request-text = Keine Seite hier stellt eine solche. Nichts geht verloren: Geh zurück zu Discord und öffne dort den Link der Anmeldung noch einmal.
page-fault = Hier ist etwas schiefgegangen
page-fault-text = Es steht im Protokoll für den Betreiber. Nichts geht verloren: Lade diese Seite gleich noch einmal.
page-back = Zurück zu Discord
page-kept = { $name } behält das bisherige Konto
page-kept-text = Das hat ein Admin des Discord-Servers entschieden. Deine Anmeldung wurde nicht gespeichert.
page-unconfirmed = Über die Anmeldung bei { $name } wurde nicht rechtzeitig entschieden
page-unconfirmed-text = Kein Admin des Discord-Servers hat dem anderen Konto zugestimmt. Es hat sich nichts geändert.
