//! Pages made into pictures, by headless Chromium.
//!
//! Owns the browser's processes: each is waited for. The height of each page is asked first, since a picture is as large
//! as its window.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::stories::Picture;

/// CSS pixels: a phone.
const WIDTH: u32 = 400;
/// Pixels of the picture for each.
const SCALE: &str = "2";
/// Bytes of a picture, so that a page of them is loaded soon.
const LARGEST: u64 = 60 * 1_024;

/// Draws each picture into `folder`, as a file of its name.
pub fn draw(pictures: &[Picture], folder: &Path) {
    let work = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    for Picture { name, page } in pictures {
        let html = work.path().join("page.html");
        let measuring = "<script>document.title = Math.ceil(document.querySelector('main').getBoundingClientRect().height)</script>";
        std::fs::write(&html, format!("{page}{measuring}")).unwrap();
        let measured = chromium(work.path(), 800, &["--dump-dom"], &html);
        let height: u32 = measured
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>")?.0.parse().ok())
            .expect("the page has a height");
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&html, page).unwrap();
        chromium(work.path(), height, &[&format!("--screenshot={}", file.display())], &html);
        let size = file.metadata().expect("Chromium draws").len();
        assert!(size <= LARGEST, "{name}.png has {size} bytes, {LARGEST} are allowed");
        println!("{name}.png: {WIDTH}x{height}, {size} bytes");
    }
}

fn chromium(profile: &Path, height: u32, arguments: &[&str], page: &Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-background-networking",
        ])
        .args(["--font-render-hinting=none", "--disable-lcd-text"])
        .arg(format!("--user-data-dir={}", profile.join("profile").display()))
        .arg(format!("--force-device-scale-factor={SCALE}"))
        .arg(format!("--window-size={WIDTH},{height}"))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .expect("chromium runs: on Debian, apt-get install chromium");
    assert!(output.status.success(), "chromium ended with {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
