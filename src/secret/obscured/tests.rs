//! Tests of obscured text, against what rclone made.

use std::process::Command;

use super::*;

/// What Debian's rclone 1.60 wrote, and what it hides.
const RCLONES: &[(&str, &str)] = &[
    ("jKedZyEl1g2h24LD0V3qNyAz42Pc", "hello"),
    ("OJf8QxY2d82IFxr7Gi3zMA", ""),
    ("lsseKW3wxrfoR8SzF7f7hodMng", "a b"),
    ("BAnKqeU6SkBzaMPZc_uNywdyw7f29eCl3Lo1dbE", "correct-horse"),
    ("fP88E7pgIFr5dB-OgVsDLdLfm9bSVfFJSwzsTCs", "correct-horse"),
    ("1KmjNcoNOmzGMaKrsQB9oISJCvp07cnh-Q", "ünï😀"),
    (
        "MTeggX7Q4MH6a3Vd60CzRd4YZyhgTcWBfFr73ibRLi0JmGhTRgd4kmWsUXP0xDrh5skhcTZ7p_oFNs5s0Ktai44",
        "0123456789abcdef0123456789abcdef0123456789abcdef0",
    ),
];

/// T14
#[test]
fn what_rclone_obscured_is_revealed_and_written_the_same_from_the_same_vector() {
    for (obscured, hidden) in RCLONES {
        assert_eq!(reveal(obscured), Ok(Secret::new(*hidden)), "{hidden}");
        assert_eq!(reveal(&format!("  {obscured}\n")), Ok(Secret::new(*hidden)), "{hidden}");
        let iv = URL_SAFE_NO_PAD.decode(obscured).unwrap()[..IV].try_into().unwrap();
        assert_eq!(obscured_with(iv, &Secret::new(*hidden)), *obscured);
    }
}

/// T14: also the program itself, whatever its version.
#[test]
fn rclone_and_this_read_each_others_text() {
    let rclone = |arguments: &[&str]| {
        let output = Command::new("rclone").args(arguments).env("RCLONE_CONFIG", "").output().unwrap_or_else(
            |error| panic!("this test needs rclone (Debian: apt-get install rclone): {error}"),
        );
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    };
    for hidden in ["x", "GOCSPX-of_nobody", "two words ~", "0123456789abcdef0", "ünï😀"] {
        assert_eq!(reveal(&rclone(&["obscure", hidden])), Ok(Secret::new(hidden)));
        assert_eq!(rclone(&["reveal", "--", &obscure(&Secret::new(hidden))]), hidden);
    }
}

/// T14
#[test]
fn one_secret_is_another_text_each_time() {
    let secret = Secret::new("correct-horse");
    let (one, two) = (obscure(&secret), obscure(&secret));
    assert_ne!(one, two);
    assert_eq!((reveal(&one), reveal(&two)), (Ok(secret.clone()), Ok(secret)));
}

/// T14, Z1: what is wrong is told without the text.
#[test]
fn what_is_not_obscured_text_is_refused_without_a_word_of_it() {
    for (text, expected) in [
        ("", ObscuredError::TooShort),
        ("c2hvcnQ", ObscuredError::TooShort),
        ("has spaces inside", ObscuredError::NotBase64),
        ("jKedZyEl1g2h24LD0V3qNyAz42Pc=", ObscuredError::NotBase64),
        ("jKedZyEl1g2h24LD0V3qNyAz42P", ObscuredError::NotBase64),
        // Secrets as they are, of the alphabet of base64url.
        ("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E", ObscuredError::NotText),
        ("0123456789abcdef0123456789abcdef01234567", ObscuredError::NotText),
    ] {
        let error = reveal(text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert!(text.is_empty() || !format!("{error} {error:?}").contains(text));
    }
    // Noise that happens to be UTF-8.
    for hidden in ["a\nb", "a\u{1}", "\u{9b}2J"] {
        let text = obscured_with([7; IV], &Secret::new(hidden));
        assert_eq!(reveal(&text), Err(ObscuredError::NotText), "{hidden:?}");
    }
}

/// T14: one rule of what a client secret is, for whoever hides one and whoever reads it (RFC 6749 appendix A.2).
#[test]
fn a_client_secret_is_visible_and_ascii_without_what_stands_around_it() {
    for (text, secret) in [("s", "s"), (" two words ~\n", "two words ~")] {
        assert_eq!(client_secret(text), Ok(Secret::new(secret)), "{text:?}");
    }
    for text in ["", " \n", "ünï😀", "a\tb", "a\u{a0}b"] {
        assert_eq!(client_secret(text), Err(ObscuredError::NotASecret), "{text:?}");
    }
}
