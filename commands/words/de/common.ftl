# Was in vielen Texten steht.

name-with-profile = { $title }, Profil { $profile }
whom-operator = der Betreiber
