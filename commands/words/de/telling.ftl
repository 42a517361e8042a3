# Was alle in einem Thread über seine Anmeldungen lesen; was jemandem direkt gesagt wird; eine Anmeldung, die ruht.

telling-needs-login = 🔴 **Neue Anmeldung nötig: { $name }**
    Die alte Anmeldung gilt nicht mehr. Agenten dieses Threads können sie erst wieder nutzen, wenn sich jemand neu anmeldet.
telling-needs-login-own = 🔴 **Neue Anmeldung nötig: { $name }**
    { $owner }, deine Anmeldung gilt nicht mehr. Agenten dieses Threads können sie erst wieder nutzen, wenn du dich neu anmeldest.
telling-works-again = 🟢 **{ $name } funktioniert wieder.**
    Der Anbieter nimmt die alte Anmeldung wieder an; niemand muss etwas tun.
telling-works-again-by = 🟢 **{ $name } funktioniert wieder.**
    Neu angemeldet hat sich { $who }. Agenten dieses Threads können weitermachen.
telling-left = ⚪ **{ $name } steht hier nicht mehr zur Verfügung.**
    Es war die Anmeldung von { $owner }, und diese Person hat diesen Server verlassen. Wenn du deine eigene nutzen willst, melde dich mit { $login } an.
telling-not-admitted = ⚪ **{ $name } steht hier nicht mehr zur Verfügung.**
    Es war die Anmeldung von { $owner }, und diese Person darf sich auf diesem Server nicht mehr anmelden. Wenn du deine eigene nutzen willst, melde dich mit { $login } an.
telling-served-again = 🟢 **{ $name } funktioniert wieder.**
    { $owner } darf sich auf diesem Server wieder anmelden, und die alte Anmeldung gilt noch. Agenten dieses Threads können weitermachen.
telling-sign-in = Anmelden
telling-not-yours = **Diese Anmeldung gehört { $owner }.**
    Nur diese Person kann sich dafür neu anmelden. Um dich selbst anzumelden, damit dieser Thread deine Anmeldung nutzt, nimm { $login }.

# Wie es um eine Anmeldung steht, hinter ihrem Namen: "Acme: …".
telling-rests-left = ruht: Die Person, der sie gehört, hat diesen Server verlassen.
telling-rests-not-admitted = ruht: Die Person, der sie gehört, darf sich hier nicht mehr anmelden.

direct-succeeded = ✅ **Deine Anmeldung bei { $name } auf { $server } ist abgeschlossen.**
    In dem Thread, in dem du sie begonnen hast, konnte ich es dir nicht sagen. { $status } zeigt dort in jedem Thread, wie es steht.
direct-cancelled = **Deine Anmeldung bei { $name } auf { $server } wurde abgebrochen.**
    In dem Thread, in dem du sie begonnen hast, konnte ich es dir nicht sagen. Um neu zu beginnen, nimm { $login } in irgendeinem Thread dort.
direct-expired = **Deine Anmeldung bei { $name } auf { $server } ist abgelaufen.**
    In dem Thread, in dem du sie begonnen hast, konnte ich es dir nicht sagen. Um neu zu beginnen, nimm { $login } in irgendeinem Thread dort.
direct-denied = **Deine Anmeldung bei { $name } auf { $server } wurde abgelehnt.**
    In dem Thread, in dem du sie begonnen hast, konnte ich es dir nicht sagen. Um neu zu beginnen, nimm { $login } in irgendeinem Thread dort.
direct-failed = **Deine Anmeldung bei { $name } auf { $server } ist fehlgeschlagen.**
    In dem Thread, in dem du sie begonnen hast, konnte ich es dir nicht sagen. Um neu zu beginnen, nimm { $login } in irgendeinem Thread dort.
direct-kept = **{ $name } auf { $server } behält das bisherige Konto.**
    Das hat ein Admin entschieden. Deine Anmeldung wurde nicht gespeichert. In dem Thread, in dem du begonnen hast, konnte ich es dir nicht sagen.
direct-unconfirmed = **Kein Admin von { $server } hat rechtzeitig über deine Anmeldung bei { $name } entschieden.**
    Es hat sich nichts geändert. In dem Thread, in dem du begonnen hast, konnte ich es dir nicht sagen. Um neu zu beginnen, nutze { $login } in einem beliebigen Thread dort.
