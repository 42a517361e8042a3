# Die Slash-Befehle und ihre Optionen. Namen: Kleinbuchstaben, Ziffern, Bindestriche, höchstens 32; Beschreibungen höchstens 100.

command-description = Hier anmelden und sehen, was angemeldet ist

command-login-name = anmelden
command-login-description = Melde dich an, damit die Agenten dieses Threads damit arbeiten können
command-login-provider-name = anbieter
command-login-provider-description = Wo du dich anmeldest
command-login-profile-name = profil
command-login-profile-description = Ein Name für dieses Konto, falls du dort mehrere nutzt
command-login-bind-name = verwenden
command-login-bind-description = Ob die Agenten dieses Threads es verwenden (meistens ja)

command-status-name = status
command-status-description = Sieh, was die Agenten dieses Threads nutzen und ob es geht

command-logout-name = abmelden
command-logout-description = Melde dich ab, hier und beim Anbieter
command-logout-tenant-name = anmeldung
command-logout-tenant-description = Was du abmeldest; ohne Angabe das, was dieser Thread nutzt

command-cancel-name = abbrechen
command-cancel-description = Brich eine laufende Anmeldung ab
command-cancel-tenant-name = anmeldung
command-cancel-tenant-description = Welche; ohne Angabe deine eigene

command-use-name = verwenden
command-use-description = Lass die Agenten dieses Threads eine andere Anmeldung nutzen
command-use-tenant-name = anmeldung
command-use-tenant-description = Welche Anmeldung

command-list-name = liste
command-list-description = Sieh deine Anmeldungen und die gemeinsamen dieses Servers
