# /auth use, und das Wählen unter Anmeldungen.

use-done = ✅ **Dieser Thread benutzt ab jetzt { $now }.**
use-same = **Dieser Thread benutzt schon { $now }.**
    Es hat sich nichts geändert.
use-none = ✅ **Die Wahl dieses Threads für { $provider } wurde aufgehoben.**
    Seine Agenten können { $provider } jetzt nicht nutzen.
use-none-channel = ✅ **Die Wahl dieses Threads für { $provider } wurde aufgehoben.**
    Er benutzt, was für seinen Kanal gewählt ist: { $now }.
use-none-shared = ✅ **Die Wahl dieses Threads für { $provider } wurde aufgehoben.**
    Er benutzt { $now }.
use-none-same = **Dieser Thread hat für { $provider } nichts gewählt.**
    Es hat sich nichts geändert.
use-before = Vorher benutzte er { $before }.
use-before-channel = Vorher benutzte er, was für seinen Kanal gewählt ist: { $before }.
use-before-shared = Vorher hatte er nichts gewählt und benutzte { $before }.
use-before-nothing = Vorher benutzte er nichts.
use-key = Für seine Agenten ändert das vorerst nichts: Der Betreiber hat einen API-Schlüssel gesetzt, und der geht jeder Anmeldung vor.
use-token = Für seine Agenten ändert das vorerst nichts: Der Betreiber hat ein Token gesetzt, und das geht jeder Anmeldung vor.
use-bad = Für seine Agenten ändert das vorerst nichts: Was der Betreiber gesetzt hat, geht jeder Anmeldung vor und ist unbrauchbar. Nur der Betreiber kann das beheben.
use-personal = Alle Agenten dieses Threads arbeiten jetzt mit diesem Konto, wer auch immer mit ihnen spricht.
use-back = Zurück geht es mit { $using } und { $name }.
use-not-yours = **Das kannst du diesen Thread nicht benutzen lassen.**
    Wählen kannst du deine eigenen Anmeldungen und die, die dieser Server teilt.
use-not-signed-in = **{ $name } ist nicht angemeldet.**
    Melde dich erst an, dann benutzt dieser Thread die Anmeldung. Es hat sich nichts geändert.
use-not-offered = **{ $provider } wird hier nicht angeboten.**
    Sag es dem Betreiber. Es hat sich nichts geändert.
use-held-by = **Dieser Thread benutzt eine Anmeldung von { $who }.**
    Das können nur diese Person oder ein Admin dieses Servers ändern.
use-unknown = **{ $given } ist hier nicht bekannt.**
    Wähle aus der Liste, die beim Tippen erscheint, oder sieh in { $list } nach.
use-fault = **Wegen eines Fehlers hier hat sich nichts geändert.**
    Er steht im Protokoll für den Betreiber. Versuch es gleich noch einmal; { $status } zeigt, wie es steht.
use-which = **Welche Anmeldung bei { $provider } soll dieser Thread benutzen?**
use-choose = Wähle eine Anmeldung
use-nothing-else = **Bei { $provider } gibt es keine andere Anmeldung, die dieser Thread benutzen könnte.**
    Mit { $login } entsteht eine.

choice-works = { $name }: funktioniert
choice-serves = { $name }: hier in Benutzung
choice-does-not = { $name }: funktioniert gerade nicht
choice-none = { $provider }: was der Kanal oder der Server benutzt

menu-more = { $count ->
    [one] Eine weitere passt nicht ins Menü.
   *[other] { $count } weitere passen nicht ins Menü.
} Um sie zu finden, nimm { $command } und tippe einen Teil des Namens.
