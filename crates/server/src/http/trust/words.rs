//! The words of the page, in the languages of the app.

/// The kinds of devices, each with what is done there.
pub(super) type Device = (&'static str, &'static [&'static str]);

/// All that the page says.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) phone: &'static str,
    pub(super) scan: &'static str,
    pub(super) alone: &'static str,
    pub(super) get: &'static str,
    pub(super) download: &'static str,
    pub(super) compare: &'static str,
    pub(super) install: &'static str,
    pub(super) devices: &'static [Device],
    pub(super) last: &'static str,
    pub(super) open: &'static str,
    pub(super) bounds: &'static str,
    pub(super) other: &'static str,
}

pub(super) const ENGLISH: Words = Words {
    title: "Trust this Visavis",
    why: "Browsers give camera and microphone only to pages whose encryption they trust. This Visavis made a \
          certificate authority of its own; tell each device once that it may trust it.",
    phone: "On a phone",
    scan: "Scan this with the camera of a phone in the same network. It opens this page there.",
    alone: "Only this machine reaches this Visavis. Start it with --listen 0.0.0.0:PORT, and a code for phones is here.",
    get: "1. Get the certificate",
    download: "Download the certificate",
    compare: "Its SHA-256 fingerprint. Compare it with the one that Visavis logs on its own machine when it starts: \
              if they differ, somebody is between, so stop here.",
    install: "2. Install it",
    devices: &[
        (
            "Android",
            &[
                "Download the certificate above.",
                "Open Settings and search for “CA certificate” (Security, Encryption & credentials, Install a certificate).",
                "Choose CA certificate, Install anyway, and the file authority.crt among the downloads.",
                "Open Visavis in Chrome. Firefox asks for one thing more: Settings, About Firefox, tap the logo five times, \
                 then Secret settings, Use third party CA certificates.",
            ],
        ),
        (
            "iPhone and iPad",
            &[
                "Open this page in Safari, download the certificate and allow the profile.",
                "Open Settings, tap Profile Downloaded, then Install.",
                "Go to Settings, General, About, Certificate Trust Settings, and turn on full trust for “Visavis local authority”.",
                "Open Visavis.",
            ],
        ),
        (
            "Chrome, Chromium, Edge on a computer",
            &[
                "Download the certificate above.",
                "Windows: open the file, Install Certificate, Place all certificates in the following store, Trusted Root \
                 Certification Authorities. macOS: open it in Keychain Access, and set Trust to Always Trust.",
                "Linux: open chrome://certificate-manager (or Settings, Privacy and security, Security, Manage certificates), \
                 and import it as a trusted certificate.",
                "Close the browser and open Visavis.",
            ],
        ),
        (
            "Firefox on a computer",
            &[
                "Download the certificate above.",
                "Open Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import.",
                "Choose the file and “Trust this CA to identify websites”.",
                "Open Visavis.",
            ],
        ),
    ],
    last: "3. Open Visavis",
    open: "Open Visavis",
    bounds: "Trust it only if this server is yours, or that of somebody you trust. The authority can vouch for local names and \
             addresses alone; to end the trust, remove “Visavis local authority” in the same place.",
    other: "<a href=\"?lang=de\" lang=\"de\" hreflang=\"de\">Deutsch</a>",
};

pub(super) const GERMAN: Words = Words {
    title: "Diesem Visavis vertrauen",
    why: "Browser geben Kamera und Mikrofon nur Seiten, deren Verschlüsselung sie vertrauen. Dieses Visavis hat sich eine eigene \
          Zertifizierungsstelle gemacht; sage jedem Gerät einmal, dass es ihr vertrauen darf.",
    phone: "Am Telefon",
    scan: "Scanne dies mit der Kamera eines Telefons im selben Netz. Es öffnet dort diese Seite.",
    alone: "Nur dieser Rechner erreicht dieses Visavis. Starte es mit --listen 0.0.0.0:PORT, dann steht hier ein Code für Telefone.",
    get: "1. Das Zertifikat holen",
    download: "Zertifikat herunterladen",
    compare: "Sein SHA-256-Fingerabdruck. Vergleiche ihn mit dem, den Visavis auf seinem eigenen Rechner beim Start protokolliert: \
              unterscheiden sie sich, ist jemand dazwischen, dann höre hier auf.",
    install: "2. Es installieren",
    devices: &[
        (
            "Android",
            &[
                "Lade das Zertifikat oben herunter.",
                "Öffne die Einstellungen und suche nach „CA-Zertifikat“ (Sicherheit, Verschlüsselung und Anmeldedaten, Zertifikat \
                 installieren).",
                "Wähle CA-Zertifikat, Trotzdem installieren, und unter den Downloads die Datei authority.crt.",
                "Öffne Visavis in Chrome. Firefox möchte noch etwas: Einstellungen, Über Firefox, fünfmal auf das Logo tippen, dann \
                 Geheime Einstellungen, CA-Zertifikate Dritter verwenden.",
            ],
        ),
        (
            "iPhone und iPad",
            &[
                "Öffne diese Seite in Safari, lade das Zertifikat herunter und erlaube das Profil.",
                "Öffne die Einstellungen, tippe auf Profil geladen, dann auf Installieren.",
                "Gehe zu Einstellungen, Allgemein, Info, Zertifikatsvertrauenseinstellungen und schalte volles Vertrauen für „Visavis \
                 local authority“ ein.",
                "Öffne Visavis.",
            ],
        ),
        (
            "Chrome, Chromium, Edge am Rechner",
            &[
                "Lade das Zertifikat oben herunter.",
                "Windows: öffne die Datei, Zertifikat installieren, Alle Zertifikate in folgendem Speicher speichern, \
                 Vertrauenswürdige Stammzertifizierungsstellen. macOS: öffne sie in der Schlüsselbundverwaltung und stelle \
                 Vertrauen auf Immer vertrauen.",
                "Linux: öffne chrome://certificate-manager (oder Einstellungen, Datenschutz und Sicherheit, Sicherheit, Zertifikate \
                 verwalten) und importiere es als vertrauenswürdiges Zertifikat.",
                "Schließe den Browser und öffne Visavis.",
            ],
        ),
        (
            "Firefox am Rechner",
            &[
                "Lade das Zertifikat oben herunter.",
                "Öffne Einstellungen, Datenschutz & Sicherheit, Zertifikate, Zertifikate anzeigen, Zertifizierungsstellen, Importieren.",
                "Wähle die Datei und „Dieser CA vertrauen, um Websites zu identifizieren“.",
                "Öffne Visavis.",
            ],
        ),
    ],
    last: "3. Visavis öffnen",
    open: "Visavis öffnen",
    bounds: "Vertraue ihr nur, wenn dieser Server deiner ist oder der von jemandem, dem du vertraust. Die Stelle kann nur für lokale \
             Namen und Adressen bürgen; um das Vertrauen zu beenden, entferne „Visavis local authority“ am selben Ort.",
    other: "<a href=\"?lang=en\" lang=\"en\" hreflang=\"en\">English</a>",
};
