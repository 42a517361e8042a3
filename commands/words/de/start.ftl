# Vor einer Anmeldung: was zurückgefragt wird, und warum keine begonnen werden konnte.

start-which = **Wo willst du dich anmelden?**
start-choose = Wähle, wo du dich anmeldest
start-unknown = **{ $given } wird hier nicht angeboten.**
    Wähle einen von denen, die es gibt:
start-nothing = **Noch gibt es nichts, wo du dich anmelden kannst.**
    Bitte den Betreiber, einen Anbieter in die Konfiguration von Latchkey aufzunehmen.
start-wrong-profile = **{ $given } kann kein Profil heißen.**
    Nimm nur Buchstaben von a bis z, Ziffern, Punkte, Unterstriche und Bindestriche, höchstens 64.
start-log-out = Abmelden
start-retry = Noch einmal versuchen

start-gone = **{ $name } wird hier nicht mehr angeboten.**
    Beginne eine neue Anmeldung, um einen anderen Anbieter zu wählen, oder frag einen Admin dieses Servers.
start-no-way = **{ $name } bietet diese Art der Anmeldung hier nicht mehr an.**
    Versuch es auf andere Art.
start-no-way-at-all = **Bei { $name } kann man sich von hier aus nicht anmelden.**
    Bitte den Betreiber, sich die Konfiguration dieses Anbieters anzusehen.
start-too-often = **Du hast gerade viele Anmeldungen begonnen.**
    Die nächste geht { $when }.
start-too-often-here = **Auf diesem Server melden sich gerade viele an.**
    Die nächste Anmeldung geht { $when }.
start-too-many-open = **Du hast so viele Anmeldungen zugleich offen, wie es sein dürfen: { $most }.**
    Schließe eine davon ab oder brich sie ab. Sonst endet die erste { $when } von selbst, und du kannst eine andere beginnen.
start-too-many-kept = **Du hast so viele eigene Anmeldungen, wie es sein dürfen: { $most }.**
    Melde eine ab, die du nicht mehr brauchst, und versuch es noch einmal.
start-not-yours = **Die Anmeldung bei { $name } gehört einem anderen Mitglied.**
    Erst muss dieses Mitglied oder ein Admin dieses Servers sie abmelden.
start-unreachable = **{ $name } war nicht zu erreichen.**
    Es wurde nichts begonnen. Versuch es gleich noch einmal.
start-winding-up = **Eine frühere Anmeldung bei { $name } ist noch nicht ganz beendet.**
    Es wurde nichts begonnen. Versuch es in einer Minute noch einmal.
start-switched-off = **{ $name } hat diese Art der Anmeldung abgeschaltet.**
    Es wurde nichts begonnen. Versuch es auf andere Art.
start-switched-off-only = **{ $name } hat die einzige Art abgeschaltet, sich von hier aus anzumelden.**
    Es wurde nichts begonnen. Frag einen Admin dieses Servers; sobald sie eingeschaltet ist, versuch es noch einmal.
start-misconfigured = **Die Anmeldung bei { $name } ist nicht richtig eingerichtet.**
    Es wurde nichts begonnen. Das kann nur der Betreiber ändern; im Protokoll steht, was falsch ist.
start-misconfigured-says = **Die Anmeldung bei { $name } ist nicht richtig eingerichtet.**
    Es wurde nichts begonnen. Das kann nur der Betreiber ändern. Der Anbieter sagt: „{ $said }“.
start-fault = **Die Anmeldung bei { $name } konnte wegen eines Fehlers hier nicht begonnen werden.**
    Der Betreiber findet ihn im Protokoll. Versuch es gleich noch einmal.

start-none-ready = **Noch gibt es nichts, wo du dich anmelden kannst.**
    Der Betreiber muss es erst fertig einrichten: Sag einem Admin dieses Servers Bescheid.
start-not-ready = **Bei { $name } kann sich hier noch niemand anmelden.**
    Der Betreiber muss es erst fertig einrichten: Sag einem Admin dieses Servers Bescheid.
start-bad-environment = **Bei { $name } kann sich hier niemand anmelden.**
    Der Schlüssel oder das Token, das der Betreiber dafür gesetzt hat, ist unbrauchbar: Sag einem Admin dieses Servers Bescheid.
start-key-serves = **Bei { $name } muss sich hier niemand anmelden.**
    Die Agenten benutzen einen API-Schlüssel, den der Betreiber gesetzt hat.
start-token-serves = **Bei { $name } muss sich hier niemand anmelden.**
    Die Agenten benutzen ein Token, das der Betreiber gesetzt hat.
start-unsupported = **{ $title } wird nicht unterstützt.**
    { $why }
start-those-that-are = Wähle unter diesen:
